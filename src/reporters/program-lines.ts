import path from "node:path";
import type { Frame, Metadata } from "../capture/records.js";
import { printable } from "./terminal-text.js";

/**
 * What was tracked, in two lines: the command, and the process.
 * @param cwd files below it are shown relative to it
 */
export function programLines(metadata: Metadata, cwd: string): string[] {
  const { name, version } = metadata.runtime;
  const seconds = (metadata.endTimeMs - metadata.startTimeMs) / 1000;
  const end = metadata.complete ? "" : " (cut short: the program still ran, was killed, or the disk was full)";
  return [
    printable(metadata.commandLine.map((argument) => relativeFile(argument, cwd)).join(" ")),
    printable(`  ${name} ${version}, pid ${metadata.pid}, ${seconds.toFixed(1)} s${end}`),
  ];
}

/** `src/app.ts:12  load`; a module has no lines, and what has no file is told by its function. */
export function placeOf({ function: name, file, line }: Pick<Frame, "function" | "file" | "line">, cwd: string) {
  if (file === "") return printable(name);
  return printable(`${relativeFile(file, cwd)}${line === 0 ? "" : `:${line}`}  ${name}`);
}

function relativeFile(file: string, cwd: string): string {
  const relative = path.isAbsolute(file) ? path.relative(cwd, file) : file;
  return relative === "" || relative.startsWith("..") ? file : relative;
}
