import { spawnSync } from "node:child_process";
import { accessSync, constants, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { CliError } from "./errors.js";
import { typed } from "./paths.js";
import { pythonShebang } from "./python-shebang.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const PROBE = path.join(ROOT, "python/launch/probe.py");
const PROBE_MS = 30_000;
const OLDEST = 9;
const NEWEST = 14;
/** With any of these, Python would not look at what heapray tells it in the environment. */
const KEEP_OUT = /^-[^-XW]*[EIS]/;

/** A Python that can be tracked. */
export interface PythonInterpreter {
  /** Its absolute path. */
  readonly executable: string;
  /** Flags that the script asks for. */
  readonly flags: readonly string[];
}

/**
 * Finds the Python that runs a script, or a module or code where there is none, and makes sure that it has heapray.
 * @param wanted what --python names: a path, or a command
 * @throws {CliError}
 */
export function pythonFor(script: string | undefined, wanted: string | undefined): PythonInterpreter {
  const { file, flags } = findPython(script, wanted);
  return { executable: check(file), flags };
}

/**
 * Refuses flags that would keep heapray out.
 * @throws {CliError}
 */
export function checkPythonFlags(flags: readonly string[]): void {
  const bad = flags.find((flag) => KEEP_OUT.test(flag));
  if (bad === undefined) return;
  throw new CliError(`with ${bad} Python reads neither its environment nor heapray: leave it out.`);
}

function findPython(script: string | undefined, wanted: string | undefined): { file: string; flags: string[] } {
  if (wanted !== undefined) {
    const file = wanted.includes("/") ? executableFile(path.resolve(wanted)) : onPath(wanted);
    if (file === undefined) throw new CliError(`there is no Python ${typedCommand(wanted)} to run; see --python.`);
    return { file, flags: [] };
  }
  // A command of an environment names that environment's Python; to others, the user's choice comes first.
  const shebang = script === undefined || /\.py[wc]?$/.test(script) ? undefined : pythonShebang(script);
  if (shebang !== undefined) {
    const { interpreter } = shebang;
    const file = interpreter.includes("/") ? executableFile(interpreter) : onPath(interpreter);
    if (file !== undefined) return { file, flags: shebang.flags.map(harmless).filter((flag) => flag !== "-") };
  }
  const environment = process.env.VIRTUAL_ENV;
  const inEnvironment = environment && executableFile(path.join(environment, "bin/python3"));
  const file = inEnvironment || onPath("python3") || onPath("python");
  if (file === undefined) throw new CliError("there is no python3 on the PATH: name a Python with --python.");
  return { file, flags: [] };
}

/** A script's own flag, without the letters that would keep heapray out. */
function harmless(flag: string): string {
  return KEEP_OUT.test(flag) ? flag.replace(/[EIS]/g, "") : flag;
}

function onPath(command: string): string | undefined {
  for (const folder of (process.env.PATH ?? "").split(path.delimiter)) {
    const file = folder && executableFile(path.resolve(folder, command));
    if (file) return file;
  }
  return undefined;
}

function executableFile(file: string): string | undefined {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile() ? file : undefined;
  } catch {
    return undefined;
  }
}

function typedCommand(command: string): string {
  return command.includes("/") ? typed(command) : command;
}

/**
 * @returns the executable that it says it is: what is found on the PATH may be a script that chooses one
 * @throws {CliError} heapray is not for this Python, or it does not have heapray
 */
function check(file: string): string {
  // What else runs as Python starts may print.
  const { output, error } = spawnSync(file, [PROBE], {
    encoding: "utf8",
    timeout: PROBE_MS,
    stdio: ["ignore", "ignore", "ignore", "pipe"],
  });
  const [implementation, version = "", abi = "", executable, managed, found, text = ""] = (output?.[3] ?? "").split(
    "\0",
  );
  if (error !== undefined || found === undefined) {
    throw new CliError(
      `${typed(file)} is not a Python that heapray can ask for its version; name another with --python.`,
    );
  }
  const who = `Python ${version} (${file})`;
  if (implementation !== "cpython") {
    throw new CliError(`${who} is ${implementation}, and heapray is for CPython: name one with --python.`);
  }
  const minor = Number(version.split(".")[1]);
  if (!version.startsWith("3.") || minor < OLDEST || minor > NEWEST) {
    throw new CliError(
      `${who} is not one of those that heapray is for, 3.${OLDEST} to 3.${NEWEST}: name another with --python.`,
    );
  }
  if (abi.includes("t")) {
    throw new CliError(`${who} is a free-threaded build, which heapray is not for: name one with a GIL with --python.`);
  }
  const python = executable || file;
  if (found === "missing")
    throw new CliError(`${who} does not have heapray; ${howToInstall(python, managed === "managed")}`);
  if (found === "broken") {
    throw new CliError(`${who} cannot load its heapray (${text.split("\n")[0]}); ${howToInstall(python, false)}`);
  }
  const { version: own } = JSON.parse(readFileSync(path.join(ROOT, "package.json"), "utf8")) as { version: string };
  if (text !== own) {
    throw new CliError(
      `${who} has heapray ${text}, and this is ${own}; ${howToInstall(python, managed === "managed")}`,
    );
  }
  return python;
}

function howToInstall(python: string, managed: boolean): string {
  const source = typed(path.join(ROOT, "python"));
  if (!managed) return `run "${typed(python)} -m pip install ${source}".`;
  // pip refuses to install for a system's own Python.
  const environment = `${typed(python)} -m venv .venv && .venv/bin/python3 -m pip install ${source}`;
  return `run "${environment}", and the program with --python .venv/bin/python3.`;
}
