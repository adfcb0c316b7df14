import { commandLine } from "./invocation.js";
import { typed } from "./paths.js";

/** Whether tracking told its end: a capture that is aggregated has nothing before. */
export async function isComplete(capture: string): Promise<boolean> {
  const { FileReader } = await import("../analysis/file-reader.js");
  try {
    using reader = new FileReader(capture);
    return reader.metadata.complete;
  } catch {
    return false;
  }
}

/** `2 captures of child processes` */
export function ofChildren(captures: number): string {
  return `${captures} ${captures === 1 ? "capture of a child process" : "captures of child processes"}`;
}

/** That a capture was written, and what to type next. */
export function wrote(capture: string, children: number): string {
  const file = typed(capture);
  const next = children > 0 ? `, and ${ofChildren(children)} next to it (${file}.<pid>)` : "";
  return `wrote ${file}${next}; to see where the memory went, type:\n\n  ${commandLine()} flamegraph ${file}\n\n`;
}
