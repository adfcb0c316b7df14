import type { AllocationRecord, Frame } from "../capture/records.js";
import { ChunkedText } from "./chunked-text.js";
import { StackTree } from "./stack-tree.js";

/**
 * Writes records as gprof2dot's JSON, as memray does: functions with the file that they are in, and an event per call
 * chain, innermost first, with its bytes.
 */
export function writeGprof2dot(records: Iterable<AllocationRecord>, write: (chunk: string) => void): void {
  const tree = new StackTree(({ function: name, file }) => `${name}\0${file}`);
  for (const record of records) tree.add(record);
  const text = new ChunkedText(write);
  text.add('{"version":0,"costs":[{"description":"Memory","unit":"bytes"}],"functions":[');
  text.add(tree.frames.map(functionOf).join(","));
  text.add('],"events":[');
  let separator = "";
  for (const { frames, bytes } of tree.stacks()) {
    if (bytes === 0) continue;
    text.add(`${separator}{"callchain":[${frames.toReversed().join(",")}],"cost":[${bytes}]}`);
    separator = ",";
  }
  text.add("]}\n");
  text.flush();
}

function functionOf({ function: name, file }: Frame): string {
  return JSON.stringify({ name, module: file });
}
