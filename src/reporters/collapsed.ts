import type { AllocationRecord, Frame } from "../capture/records.js";
import { ChunkedText } from "./chunked-text.js";
import { escapeControlCharacters } from "./control-characters.js";
import { StackTree } from "./stack-tree.js";

/**
 * Writes records as collapsed ("folded") stacks: a line per stack, its frames outermost first and joined by `;`, a space,
 * its bytes. A frame is `function (file:line)`. The format knows no quoting: a `;` becomes `:`, as stackcollapse-perf.pl
 * has it, and control characters are escaped.
 */
export function writeCollapsed(records: Iterable<AllocationRecord>, write: (chunk: string) => void): void {
  const tree = new StackTree(labelOf);
  for (const record of records) tree.add(record);
  const labels = tree.frames.map(labelOf);
  const text = new ChunkedText(write);
  for (const { frames, bytes } of tree.stacks()) {
    if (bytes > 0) text.add(`${frames.map((frame) => labels[frame]).join(";")} ${bytes}\n`);
  }
  text.flush();
}

function labelOf({ function: name, file, line }: Frame): string {
  const place = line > 0 ? `${file}:${line}` : file;
  return escapeControlCharacters(place === "" ? name : `${name} (${place})`).replaceAll(";", ":");
}
