import type { AllocationRecord } from "../../src/capture/records.js";
import type { FlameGraphData } from "../../src/reporters/flamegraph-data.js";
import { DiffGraph, type DiffGraphInput } from "../../src/reporters/flamegraph-diff.js";
import type { SourceLine } from "../../src/reporters/frame-table.js";
import { metadata, randomNumbers, record, syntheticCapture } from "./synthetic.js";

/** Two sides of one program: of each ten stacks, two are gone, two are new, some grew, some shrank, some stayed. */
export function comparedCaptures(nodes: number): { before: AllocationRecord[]; after: AllocationRecord[] } {
  const random = randomNumbers(3);
  const before: AllocationRecord[] = [];
  const after: AllocationRecord[] = [];
  for (const { size, nAllocations, allocator, threadName, tid, stackTrace } of syntheticCapture(nodes).records) {
    // Columns tell nothing apart.
    const path = stackTrace()
      .reverse()
      .map((frame) => ({ ...frame, column: 0 }));
    const with_ = (factor: number) =>
      record({
        path,
        size: Math.ceil(size * factor),
        nAllocations: Math.ceil(nAllocations * factor),
        allocator,
        threadName,
        tid,
      });
    const fate = random();
    if (fate < 0.8) before.push(with_(1));
    if (fate >= 0.2) after.push(with_(fate < 0.4 ? 0.25 + random() : fate < 0.6 ? 1 + 2 * random() : 1));
  }
  return { before, after };
}

interface DiffFields {
  readonly by?: DiffGraphInput["by"];
  readonly cwds?: readonly [string, string];
  readonly sources?: readonly [SourceLine, SourceLine];
}

export function diffOf(
  before: readonly AllocationRecord[],
  after: readonly AllocationRecord[],
  { by = "line", cwds, sources }: DiffFields = {},
): FlameGraphData {
  const { cwd } = metadata();
  const side = (what: string, at: 0 | 1) => ({
    what,
    cwd: cwds?.[at] ?? cwd,
    ...(sources && { sourceLine: sources[at] }),
  });
  const graph = new DiffGraph({
    before: side("old.bin at its peak", 0),
    after: side("new.bin at its peak", 1),
    by,
    metadata: metadata(),
    kind: "high-water-mark",
  });
  for (const _ of graph.adding("before", before));
  for (const _ of graph.adding("after", after));
  return graph.finish([]);
}
