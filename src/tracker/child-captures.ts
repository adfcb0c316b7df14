import { readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";

/** A capture of a process that was started by a tracked one. */
export interface ChildCapture {
  readonly file: string;
  /** Of the process. */
  readonly pid: number;
}

/** The captures that are named after this one: `<capture>.<pid>`. */
export function childCaptures(capture: string): ChildCapture[] {
  const [folder, start] = [path.dirname(capture), `${path.basename(capture)}.`];
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return [];
  }
  return names
    .filter((name) => name.startsWith(start) && /^[1-9]\d*$/u.test(name.slice(start.length)))
    .map((name) => ({ file: path.join(folder, name), pid: Number(name.slice(start.length)) }));
}

/** Tells captures that were written to since then from older ones of the same name; milliseconds since the epoch. */
export function writtenSince(timeMs: number): (capture: { readonly file: string }) => boolean {
  // A file's times are those of the system's last tick.
  const CLOCK_STEP_MS = 20;
  return ({ file }) => (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0) >= timeMs - CLOCK_STEP_MS;
}

/** Whether a process has ended, so that nobody writes its capture any more. */
export function hasEnded(pid: number): boolean {
  try {
    // The command name, in parentheses, may hold anything; the state is behind it: zombie or dead.
    return /^.*\)\s[ZX]/su.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "EACCES";
  }
}
