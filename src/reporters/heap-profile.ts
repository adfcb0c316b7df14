import type { AllocationRecord, Frame } from "../capture/records.js";
import { toUrl } from "../symbols/file-urls.js";
import { ChunkedText } from "./chunked-text.js";
import { StackTree } from "./stack-tree.js";

/** The profile's root, under which stacks begin. */
const ROOT: Frame = { function: "(root)", file: "", line: 0, column: 0 };

/**
 * Writes records as a sampling heap profile of Chrome DevTools (`HeapProfiler.SamplingHeapProfile`): a tree of calls with
 * the bytes that each allocated itself, and a sample per stack. Where V8 gives the line of a function's head, a frame
 * here has the line that it was executing.
 */
export function writeHeapProfile(records: Iterable<AllocationRecord>, write: (chunk: string) => void): void {
  const tree = new StackTree(({ function: name, file, line, column }) => `${name}\0${file}\0${line}\0${column}`);
  for (const record of records) tree.add(record);
  const callFrames = tree.frames.map(callFrameOf);
  const text = new ChunkedText(write);
  const samples: { size: number; nodeId: number }[] = [];
  let nodes = 1;
  let open = 0;
  /** Whether the node opened last has a child before the next one. */
  let hasSibling = false;
  const close = (to: number): void => {
    for (; open > to; open--) {
      text.add("]}");
      hasSibling = true;
    }
  };
  const begin = (callFrame: string, bytes: number): void => {
    text.add(`${hasSibling ? "," : ""}{"callFrame":${callFrame},"selfSize":${bytes},"id":${nodes},"children":[`);
    hasSibling = false;
  };
  text.add('{"head":');
  begin(callFrameOf(ROOT), 0);
  for (const { frames, shared, bytes } of tree.stacks()) {
    close(shared);
    for (; open < frames.length; open++) {
      nodes++;
      begin(callFrames[frames[open] as number] as string, open === frames.length - 1 ? bytes : 0);
    }
    if (bytes > 0) samples.push({ size: bytes, nodeId: nodes });
  }
  close(0);
  text.add(']},"samples":[');
  samples.forEach(({ size, nodeId }, i) => {
    text.add(`${i === 0 ? "" : ","}{"size":${size},"nodeId":${nodeId},"ordinal":${i + 1}}`);
  });
  text.add("]}\n");
  text.flush();
}

/** Lines and columns count from 0 here, and -1 is unknown. */
function callFrameOf({ function: name, file, line, column }: Frame): string {
  return JSON.stringify({
    functionName: name,
    scriptId: "0",
    url: toUrl(file) ?? file,
    lineNumber: line - 1,
    columnNumber: column - 1,
  });
}
