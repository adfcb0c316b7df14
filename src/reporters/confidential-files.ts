import { existsSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import { isPythonFile } from "../analysis/python-files.js";
import { scriptOf } from "../capture/command-line.js";
import { languageOf } from "../capture/language.js";
import type { Metadata } from "../capture/records.js";
import type { SourceLine } from "./frame-table.js";

/**
 * Which files are confidential: `none`, `all`, or by `default` those outside of the project. A page holds no source text
 * of confidential files. Unless there are none, it tells no home directory, and where all are, no folders at all.
 */
export type ConfidentialFiles = "default" | "all" | "none";

/** What metadata tells of the run. */
type ToldOfRun = Pick<Metadata, "commandLine" | "cwd"> & { readonly runtime: { readonly name: string } };

/** What of a capture a page may tell. */
export interface Disclosure {
  /** A file as the page may name it; the same for the same file, and another for another one. */
  file(file: string): string;
  /** Whether the page may hold lines of the file. */
  showsSource(file: string): boolean;
  /** The same metadata, as the page may tell it. */
  metadata<Told extends ToldOfRun>(metadata: Told): Told;
}

export const EVERYTHING: Disclosure = {
  file: (file) => file,
  showsSource: () => true,
  metadata: (metadata) => metadata,
};

/** Source lines of those files only that may be shown. */
export function disclosed(disclosure: Disclosure, sourceLine: SourceLine | undefined): SourceLine {
  return (file, line) => (disclosure.showsSource(file) ? sourceLine?.(file, line) : undefined);
}

/** @param home the home directory of whoever makes the report */
export function disclosureOf(confidential: ConfidentialFiles, run: ToldOfRun, home = homedir()): Disclosure {
  if (confidential === "none") return EVERYTHING;
  if (confidential === "all") return new NamesOnly();
  return new ProjectOnly(projectFolders(run.cwd, scriptOf(run), home), home);
}

/** `default`: the project's own source text, and paths without the home directory. */
class ProjectOnly implements Disclosure {
  readonly #folders: readonly string[];
  readonly #home: RegExp;

  constructor(folders: readonly string[], home: string) {
    this.#folders = folders;
    // The capture may come from a machine where another home was.
    const homes = ["/home/[^/\\s]+", "/Users/[^/\\s]+", "/root"];
    if (home.length > 1) homes.unshift(home.replace(/\/+$/, "").replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    this.#home = new RegExp(`(^|file://|[^\\w/.~-])(?:${homes.join("|")})(?=/|$)`, "g");
  }

  file(file: string): string {
    return this.#withoutHome(withoutData(file));
  }

  showsSource(file: string): boolean {
    return this.#folders.some((folder) => isBelow(file, folder));
  }

  metadata<Told extends ToldOfRun>(metadata: Told): Told {
    const { cwd, commandLine } = metadata;
    return {
      ...metadata,
      cwd: this.#withoutHome(cwd),
      commandLine: commandLine.map((argument) => this.#withoutHome(argument)),
    };
  }

  #withoutHome(text: string): string {
    return text.replace(this.#home, "$1~");
  }
}

/** `all`: no source text, no folders, no arguments; files of one name are told apart by a number. */
class NamesOnly implements Disclosure {
  readonly #names = new Map<string, string>();
  readonly #uses = new Map<string, number>();

  file(file: string): string {
    let name = this.#names.get(file);
    if (name === undefined) {
      const base = nameOnly(withoutData(file));
      const use = (this.#uses.get(base) ?? 0) + 1;
      this.#uses.set(base, use);
      name = use === 1 ? base : `${base} (${use})`;
      this.#names.set(file, name);
    }
    return name;
  }

  showsSource(): boolean {
    return false;
  }

  metadata<Told extends ToldOfRun>(metadata: Told): Told {
    return { ...metadata, cwd: "", commandLine: shownCommand(metadata).map(nameOnly) };
  }
}

/** The program, and the script or module that it ran. */
function shownCommand(run: ToldOfRun): readonly string[] {
  const { commandLine } = run;
  const script = scriptOf(run);
  if (languageOf(run.runtime) === "JavaScript" || script === undefined) return commandLine.slice(0, 2);
  return [...new Set([...commandLine.slice(0, 1), script])];
}

/** Files of Node.js itself have no folders on the machine; nor has what Python calls `<string>`. */
function nameOnly(file: string): string {
  return file.startsWith("node:") ? file : file.slice(file.lastIndexOf("/") + 1) || file;
}

/** The name of a script from a `data:` URL is its text. */
function withoutData(file: string): string {
  return file.startsWith("data:") ? "data:" : file;
}

/** A script that was installed is of no project. */
const INSTALLED = /\/(?:node_modules|site-packages|dist-packages)\//;
/** What lies in the folder of a project, of Node.js and of Python. */
const NODE_PROJECT = ["package.json"];
const PYTHON_PROJECT = ["pyproject.toml", "setup.py", "setup.cfg"];

/**
 * Where the project's files are: the working directory, unless that is the root or a home, and the folder of the script,
 * from the nearest one above that has what a project has.
 */
function projectFolders(cwd: string, argument: string | undefined, home: string): string[] {
  const folders = [cwd];
  const isPython = argument !== undefined && isPythonFile(argument);
  // Python's are told as they were typed.
  const script = isPython && path.isAbsolute(cwd) ? path.resolve(cwd, argument) : argument;
  if (script !== undefined && path.isAbsolute(script) && !INSTALLED.test(script)) {
    const own = path.dirname(script);
    const isProject = (folder: string) =>
      (isPython ? PYTHON_PROJECT : NODE_PROJECT).some((file) => existsSync(path.join(folder, file)));
    let folder = own;
    while (folder !== path.dirname(folder) && !isProject(folder)) folder = path.dirname(folder);
    folders.push(isProject(folder) ? folder : own);
  }
  const isHome = (folder: string) =>
    folder === home || /^\/(?:root|home|Users|(?:home|Users)\/[^/]+)?\/?$/.test(folder);
  return folders.filter((folder) => folder !== "" && !isHome(folder));
}

function isBelow(file: string, folder: string): boolean {
  const prefix = folder.endsWith("/") ? folder : `${folder}/`;
  return path.posix.normalize(file.replace(/^file:\/\//, "")).startsWith(prefix);
}
