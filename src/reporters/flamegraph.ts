import { basename } from "node:path";
import type { AllocationRecord, MemorySnapshot, Metadata } from "../capture/records.js";
import type { FlameGraphData, FlameGraphKind } from "./flamegraph-data.js";
import { flameGraphHtml, readTemplate } from "./flamegraph-page.js";
import { snapshotTable } from "./flamegraph-snapshots.js";
import { FlameGraphTree } from "./flamegraph-tree.js";
import type { SourceLine } from "./frame-table.js";

export type { FlameGraphKind } from "./flamegraph-data.js";
export type { SourceLine } from "./frame-table.js";

/** What a flame graph shows. */
export interface FlameGraphInput {
  /** Live allocations, merged by location or not. */
  readonly records: Iterable<AllocationRecord>;
  /** Memory over time; may be empty. */
  readonly snapshots: Iterable<MemorySnapshot>;
  readonly metadata: Metadata;
  readonly kind: FlameGraphKind;
  /** Text of source lines, asked for once per file and line that the graph names. */
  readonly sourceLine?: SourceLine;
}

/** Reads the records once and gives the page's tables. */
export function flameGraphData(input: FlameGraphInput): FlameGraphData {
  const tree = new FlameGraphTree();
  for (const record of input.records) tree.add(record);
  const { metadata } = input;
  return {
    kind: input.kind,
    metadata: {
      pid: metadata.pid,
      commandLine: metadata.commandLine,
      cwd: metadata.cwd,
      runtime: { name: metadata.runtime.name, version: metadata.runtime.version },
      startTimeMs: metadata.startTimeMs,
      endTimeMs: metadata.endTimeMs,
      complete: metadata.complete,
      totalAllocations: metadata.totalAllocations,
      peakMemory: metadata.peakMemory,
      heaprayVersion: metadata.heaprayVersion,
    },
    ...tree.finish(input.sourceLine),
    snapshots: snapshotTable(input.snapshots),
  };
}

/**
 * The whole report as one HTML document that opens offline.
 * @throws Error when the page's template is not built
 */
export function renderFlameGraph(input: FlameGraphInput): string {
  const template = readTemplate();
  const script = basename(input.metadata.commandLine[1] ?? input.metadata.commandLine[0] ?? "");
  const what = input.kind === "leaks" ? "leaks" : "high-water mark";
  return flameGraphHtml(flameGraphData(input), `${script} · ${what} · heapray`, template);
}
