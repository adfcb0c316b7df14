import type { AllocationRecord, MemorySnapshot, Metadata } from "../capture/records.js";
import type { Disclosure } from "./confidential-files.js";
import type { FlameGraphData, ReportKind } from "./flamegraph-data.js";
import { flameGraphHtml, readTemplate } from "./flamegraph-page.js";
import { snapshotTable } from "./flamegraph-snapshots.js";
import { FlameGraphTree } from "./flamegraph-tree.js";
import type { SourceLine } from "./frame-table.js";
import { pageMetadata, pageTitle } from "./report-page.js";

export type { ReportKind } from "./flamegraph-data.js";
export type { SourceLine } from "./frame-table.js";

/** What a flame graph shows. */
export interface FlameGraphInput {
  /** Live allocations, merged by location or not. */
  readonly records: Iterable<AllocationRecord>;
  /** Memory over time; may be empty. */
  readonly snapshots: Iterable<MemorySnapshot>;
  readonly metadata: Metadata;
  readonly kind: ReportKind;
  /** Whether each thread's stacks are below a frame of its own. */
  readonly splitThreads?: boolean;
  /** Whether the graph is inverted at first: frames that allocate at the root. */
  readonly inverted?: boolean;
  /** Most snapshots to keep; 4000 unless told. */
  readonly maxSnapshots?: number;
  /** Text of source lines, asked for once per file and line that the graph names. */
  readonly sourceLine?: SourceLine;
  /** What of files and paths the page may tell; everything unless told. */
  readonly disclosure?: Disclosure;
}

/** Reads the records once and gives the page's tables. */
export function flameGraphData(input: FlameGraphInput): FlameGraphData {
  const tree = new FlameGraphTree(input.splitThreads);
  for (const record of input.records) tree.add(record);
  return dataOf(input, tree);
}

/** How long one part of the work takes, milliseconds. */
const PART_MS = 10;

/** The same a part at a time, where others share the thread: `pause` is awaited between two parts. */
export async function flameGraphDataInParts(
  input: FlameGraphInput,
  pause: () => Promise<void>,
): Promise<FlameGraphData> {
  const tree = new FlameGraphTree(input.splitThreads);
  let start = performance.now();
  for (const record of input.records) {
    tree.add(record);
    if (performance.now() - start < PART_MS) continue;
    await pause();
    start = performance.now();
  }
  await pause();
  return dataOf(input, tree);
}

function dataOf(input: FlameGraphInput, tree: FlameGraphTree): FlameGraphData {
  return {
    kind: input.kind,
    inverted: input.inverted ?? false,
    metadata: pageMetadata(input.metadata, input.disclosure),
    ...tree.finish(input.sourceLine, input.disclosure),
    snapshots: snapshotTable(input.snapshots, input.maxSnapshots),
  };
}

/**
 * The whole report as one HTML document that opens offline.
 * @throws Error when the page's template is not built
 */
export function renderFlameGraph(input: FlameGraphInput): string {
  const template = readTemplate();
  return flameGraphHtml(flameGraphData(input), pageTitle(input.metadata, input.kind), template);
}
