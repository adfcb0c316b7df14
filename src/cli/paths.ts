import { accessSync, closeSync, constants, openSync, realpathSync, rmSync, type Stats, statSync } from "node:fs";
import path from "node:path";
import { CliError } from "./errors.js";

/** A path as one would type it in a shell at `cwd`. */
export function typed(file: string, cwd = process.cwd()): string {
  const relative = path.relative(cwd, path.resolve(cwd, file));
  const outside = relative === "" || relative === ".." || relative.startsWith("../");
  const shown = outside ? path.resolve(cwd, file) : relative.replace(/^-/, "./-");
  return /^[\w@%+=:,./-]+$/.test(shown) ? shown : `'${shown.replaceAll("'", "'\\''")}'`;
}

/** What a path leads to; undefined where that is nothing. */
function lookUp(file: string): Stats | undefined {
  try {
    return statSync(file);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new CliError(`cannot look at ${typed(file)}: ${message}.`);
  }
}

/**
 * Refuses what cannot become an output file, before any work is done.
 * @returns the absolute path to write, without symbolic links
 * @throws {CliError} the file exists and `force` is not set, it is no regular file, or its directory is missing or not
 * writable
 */
export function checkOutputFile(file: string, force: boolean): string {
  if (file === "") throw new CliError("the output file's name is empty; give one with -o.");
  const existing = lookUp(file);
  if (existing?.isDirectory()) throw new CliError(`${typed(file)} is a directory; give the name of a file with -o.`);
  // A device or pipe would be replaced by the report, which is written whole and then put in place.
  if (existing && !existing.isFile()) throw new CliError(`${typed(file)} is not a regular file; give one with -o.`);
  if (existing && !force) {
    throw new CliError(`${typed(file)} exists; give -f to overwrite it, or another name with -o.`);
  }
  const target = existing ? realpathSync(file) : path.resolve(file);
  const directory = path.dirname(target);
  if (!lookUp(directory)?.isDirectory()) {
    throw new CliError(`there is no directory ${typed(directory)} to write ${path.basename(file)} in.`);
  }
  try {
    accessSync(existing ? target : directory, constants.W_OK);
  } catch {
    throw new CliError(`${typed(existing ? target : directory)} is not writable.`);
  }
  checkCreation(directory);
  return target;
}

/** @throws {CliError} no file can be made in the directory, whatever its permissions say: `/proc`, a read-only disk */
function checkCreation(directory: string): void {
  const probe = path.join(directory, `.heapray-${unusedSuffix()}`);
  try {
    closeSync(openSync(probe, "wx"));
  } catch (error) {
    throw new CliError(`no file can be made in ${typed(directory)}: ${(error as Error).message}.`);
  }
  rmSync(probe, { force: true });
}

/** For the name of a file that nobody else makes. (Random bytes would need node:crypto, which takes long to load.) */
export function unusedSuffix(): string {
  return `${process.pid}-${process.hrtime.bigint().toString(36)}`;
}

/** @throws {CliError} there is no such file */
export function checkInputFile(file: string): void {
  const found = lookUp(file);
  if (!found) throw new CliError(`there is no file ${typed(file)}.`);
  if (found.isDirectory()) throw new CliError(`${typed(file)} is a directory, not a capture.`);
  // Reading a pipe or a terminal would wait for what may never come, and a capture is read more than once.
  if (!found.isFile()) throw new CliError(`${typed(file)} is not a regular file; give a capture made by heapray run.`);
}

/** A report's default name, in memray's scheme: `heapray-x.1.bin` becomes `heapray-flamegraph-x.1.html` beside it. */
export function reportFileName(capture: string, reporter: string, suffix: string): string {
  const { dir, name } = path.parse(capture);
  return path.join(dir, `heapray-${reporter}-${name.replace(/^heapray-/, "")}${suffix}`);
}
