import { atEnd, identityOf, type LocationSums, type RecordContext } from "../analysis/allocation-record.js";
import { largestStacks } from "../analysis/largest-stacks.js";
import type { LocationFigures } from "../analysis/location-figures.js";
import type { Frame, MemorySnapshot, Metadata } from "../capture/records.js";
import type { AllocatorType } from "../capture/wire.js";
import type { FlameGraphData, MemoryKind } from "./flamegraph-data.js";
import { snapshotTable } from "./flamegraph-snapshots.js";
import { FlameGraphTree, kindOf, threadNameOf } from "./flamegraph-tree.js";
import type { SourceLine } from "./frame-table.js";
import { pageMetadata } from "./report-page.js";

/** More points of the memory chart than this are not told apart on a screen. */
const MOST_SNAPSHOTS = 1000;
/** Stacks that a graph tells apart, about: it is made and sent again and again. */
const MOST_STACKS = 10_000;

/** What a live page shows at a moment. */
export interface LiveGraphInput {
  readonly context: RecordContext;
  readonly figures: LocationFigures;
  /** What each location holds; what the figures say is live now unless told. */
  readonly sums?: LocationSums | undefined;
  /** The only thread, and the only kind of memory, to count; all unless told. */
  readonly thread?: string | undefined;
  readonly kind?: MemoryKind | undefined;
  /** Stacks to tell apart, about; 10,000 unless told. */
  readonly mostStacks?: number;
  readonly snapshots: Iterable<MemorySnapshot>;
  readonly metadata: Metadata;
  readonly sourceLine?: SourceLine;
}

/**
 * The page's tables: the stacks that hold most, and what the others hold as one frame below each. Threads are all there
 * are, in the order in which they came, whatever is in the tables of them.
 */
export function liveGraphData(input: LiveGraphInput): FlameGraphData {
  const { context, figures, snapshots, metadata, sourceLine } = input;
  const tree = new FlameGraphTree();
  const threads: string[] = [];
  for (let thread = 0; thread < context.tables.threadTid.length; thread++) {
    const name = threadNameOf(identityOf(context, thread));
    threads.push(name);
    // Thread 0 is none; what the agent could not tell the thread of may be on it all the same.
    if (thread > 0) tree.addThread(name);
  }
  const { locations } = figures;
  const stacks = largestStacks(context.tables.nodeParent, locations, input.sums ?? atEnd(figures), {
    limit: input.mostStacks ?? MOST_STACKS,
    counted: (location) =>
      (input.thread === undefined || threads[locations.thread.at(location)] === input.thread) &&
      (input.kind === undefined || kindOf(locations.allocator.at(location)) === input.kind),
  });
  context.stacks.expect(Array.from(stacks.nodes));
  const { nodes, parents } = stacks;
  const { nodeFrame } = context.tables;
  const nodeOf = new Uint32Array(nodes.length);
  for (let row = 1; row < nodes.length; row++) {
    const frames = context.stacks.framesOf(nodeFrame.at(nodes[row] as number));
    let node = nodeOf[parents[row] as number] as number;
    for (let i = frames.length - 1; i >= 0; i--) node = tree.below(node, frames[i] as Frame);
    nodeOf[row] = node;
  }
  for (const { row, small, thread, allocator, bytes, count } of stacks.amounts) {
    const threadName = threads[thread] as string;
    let node = nodeOf[row] as number;
    if (small) node = tree.smallBelow(node);
    else if (row === 0) node = tree.ofThread(threadName);
    tree.addAt(node, { threadName, allocator: allocator as AllocatorType, size: bytes, nAllocations: count });
  }
  return {
    kind: "live",
    inverted: false,
    metadata: pageMetadata(metadata),
    ...tree.finish(sourceLine),
    snapshots: snapshotTable(snapshots, MOST_SNAPSHOTS),
  };
}
