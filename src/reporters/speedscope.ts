import type { AllocationRecord, Frame, Metadata } from "../capture/records.js";
import { ChunkedText } from "./chunked-text.js";
import { StackTree, type TreeStack } from "./stack-tree.js";

export interface SpeedscopeInput {
  readonly records: Iterable<AllocationRecord>;
  readonly metadata: Pick<Metadata, "commandLine" | "heaprayVersion">;
}

/** Writes records as speedscope's JSON, as memray does: a profile of the bytes and one of the allocations. */
export function writeSpeedscope({ records, metadata }: SpeedscopeInput, write: (chunk: string) => void): void {
  const tree = new StackTree(({ function: name, file, line, column }) => `${name}\0${file}\0${line}\0${column}`);
  for (const record of records) tree.add(record);
  const text = new ChunkedText(write);
  text.add('{"$schema":"https://www.speedscope.app/file-format-schema.json","shared":{"frames":[');
  tree.frames.forEach((frame, i) => {
    text.add(`${i === 0 ? "" : ","}${JSON.stringify(frameOf(frame))}`);
  });
  text.add(']},"profiles":[');
  writeProfile(text, tree, "Memory", "bytes", tree.totalBytes, ({ bytes }) => bytes);
  text.add(",");
  writeProfile(text, tree, "Allocations", "none", tree.totalAllocations, ({ allocations }) => allocations);
  const name = metadata.commandLine.join(" ");
  const exporter = `heapray@${metadata.heaprayVersion}`;
  text.add(`],"name":${JSON.stringify(name)},"activeProfileIndex":0,"exporter":${JSON.stringify(exporter)}}\n`);
  text.flush();
}

function writeProfile(
  text: ChunkedText,
  tree: StackTree,
  name: string,
  unit: string,
  total: number,
  weightOf: (stack: TreeStack) => number,
): void {
  text.add(`{"type":"sampled","name":"${name}","unit":"${unit}","startValue":0,"endValue":${total},"samples":[`);
  const weights: number[] = [];
  for (const stack of tree.stacks()) {
    const weight = weightOf(stack);
    if (weight === 0) continue;
    text.add(`${weights.length === 0 ? "" : ","}[${stack.frames.join(",")}]`);
    weights.push(weight);
  }
  text.add('],"weights":[');
  weights.forEach((weight, i) => {
    text.add(i === 0 ? String(weight) : `,${weight}`);
  });
  text.add("]}");
}

/** What is unknown is left out, as the format has it. */
function frameOf({ function: name, file, line, column }: Frame): object {
  return { name, ...(file && { file }), ...(line > 0 && { line }), ...(column > 0 && { col: column }) };
}
