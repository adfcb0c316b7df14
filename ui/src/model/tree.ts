import type { FlameGraphData, MemoryKind } from "../../../src/reporters/flamegraph-data.js";
import { frameOrder } from "./frame-order.js";
import { hiddenCategories, hideFrames, type MergedNodes } from "./hide.js";
import { sideOf, type Width } from "./sides.js";

export type Metric = "bytes" | "allocations";

/** What siblings are sorted by: largest first, or by name, which stays the same whatever they hold. */
export type Order = "size" | "name";

export interface TreeOptions {
  readonly hideInternals: boolean;
  readonly hideDependencies: boolean;
  /** Index of the only thread to count; -1 for all. */
  readonly thread: number;
  /** The only kind of memory to count; -1 for all. */
  readonly kind: MemoryKind | -1;
  /** What widths stand for. */
  readonly metric: Metric;
  /** Of a differential flame graph, the side or the change that the amounts are of; after unless told. */
  readonly width?: Width;
  /** By size unless told. */
  readonly order?: Order;
}

/**
 * The tree as drawn. Nodes are numbered level by level, from left to right: a level is a run of rows, and so are the
 * children of a node, in their order. Positions and widths are in units of the metric.
 */
export interface CallTree {
  readonly size: number;
  readonly metric: Metric;
  readonly order: Order;
  readonly parent: Int32Array;
  readonly frame: Uint32Array;
  readonly depth: Uint32Array;
  /** Children of n: firstChild[n] up to, not including, firstChild[n + 1]. */
  readonly firstChild: Uint32Array;
  /** Level d: levelStart[d] up to, not including, levelStart[d + 1]. */
  readonly levelStart: Uint32Array;
  /** Left edge. */
  readonly start: Float64Array;
  /** Width: the total of the metric. */
  readonly value: Float64Array;
  readonly ownBytes: Float64Array;
  readonly totalBytes: Float64Array;
  readonly ownAllocations: Float64Array;
  readonly totalAllocations: Float64Array;
  /** For each node of the data, the node that stands for it; -1 when it is empty under the options. */
  readonly nodeOf: Int32Array;
  /** For each node, the first node of the data that it stands for. */
  readonly origin: Uint32Array;
}

export function buildCallTree(data: FlameGraphData, options: TreeOptions): CallTree {
  const merged = hideFrames(data, hiddenCategories(options.hideInternals, options.hideDependencies));
  const sums = addUp(data, merged, options);
  const value = options.metric === "bytes" ? sums.totalBytes : sums.totalAllocations;
  const { order = "size" } = options;
  const place = order === "name" ? frameOrder(data) : undefined;
  const before = place
    ? (a: number, b: number) =>
        (place[merged.frame[a] as number] as number) - (place[merged.frame[b] as number] as number)
    : (a: number, b: number) => (value[b] as number) - (value[a] as number) || a - b;
  return number(data, merged, sums, levelOrder(merged, value, before), options);
}

/** Whether a weight is counted under the options. */
export function counts(data: FlameGraphData, options: TreeOptions, weight: number): boolean {
  return (
    (options.thread === -1 || data.weights.thread[weight] === options.thread) &&
    (options.kind === -1 || data.weights.kind[weight] === options.kind)
  );
}

interface Sums {
  readonly ownBytes: Float64Array;
  readonly totalBytes: Float64Array;
  readonly ownAllocations: Float64Array;
  readonly totalAllocations: Float64Array;
}

function addUp(data: FlameGraphData, merged: MergedNodes, options: TreeOptions): Sums {
  const size = merged.parent.length;
  const ownBytes = new Float64Array(size);
  const ownAllocations = new Float64Array(size);
  const { node } = data.weights;
  const { bytes, allocations } = sideOf(data, options.width);
  for (let i = 0; i < node.length; i++) {
    if (!counts(data, options, i)) continue;
    const row = merged.rowOf[node[i] as number] as number;
    ownBytes[row] = (ownBytes[row] as number) + (bytes[i] as number);
    ownAllocations[row] = (ownAllocations[row] as number) + (allocations[i] as number);
  }
  if (options.width === "change") {
    // Growth and shrinkage of one stack cancel out; those of different stacks do not.
    for (const own of [ownBytes, ownAllocations])
      for (let row = 0; row < size; row++) own[row] = Math.abs(own[row] as number);
  }
  const totalBytes = Float64Array.from(ownBytes);
  const totalAllocations = Float64Array.from(ownAllocations);
  for (let row = size - 1; row > 0; row--) {
    const parent = merged.parent[row] as number;
    totalBytes[parent] = (totalBytes[parent] as number) + (totalBytes[row] as number);
    totalAllocations[parent] = (totalAllocations[parent] as number) + (totalAllocations[row] as number);
  }
  return { ownBytes, totalBytes, ownAllocations, totalAllocations };
}

/** Rows of the merged nodes level by level, siblings together and in their order; empty ones left out. */
function levelOrder(
  merged: MergedNodes,
  value: Float64Array,
  before: (a: number, b: number) => number,
): { rows: Uint32Array; childCount: Uint32Array } {
  const size = merged.parent.length;
  const first = new Int32Array(size).fill(-1);
  const next = new Int32Array(size).fill(-1);
  for (let row = size - 1; row > 0; row--) {
    if (value[row] === 0) continue;
    const parent = merged.parent[row] as number;
    next[row] = first[parent] as number;
    first[parent] = row;
  }
  const rows = new Uint32Array(size);
  const childCount = new Uint32Array(size);
  const children: number[] = [];
  let filled = 1;
  for (let i = 0; i < filled; i++) {
    children.length = 0;
    for (let row = first[rows[i] as number] as number; row !== -1; row = next[row] as number) children.push(row);
    if (children.length > 1) children.sort(before);
    childCount[i] = children.length;
    for (const row of children) rows[filled++] = row;
  }
  return { rows: rows.subarray(0, filled), childCount };
}

function number(
  data: FlameGraphData,
  merged: MergedNodes,
  sums: Sums,
  { rows, childCount }: { rows: Uint32Array; childCount: Uint32Array },
  { metric, order = "size" }: TreeOptions,
): CallTree {
  const size = rows.length;
  const pick = (from: Float64Array): Float64Array => Float64Array.from(rows, (row) => from[row] as number);
  const ownBytes = pick(sums.ownBytes);
  const totalBytes = pick(sums.totalBytes);
  const ownAllocations = pick(sums.ownAllocations);
  const totalAllocations = pick(sums.totalAllocations);
  const value = metric === "bytes" ? totalBytes : totalAllocations;

  const parent = new Int32Array(size);
  const depth = new Uint32Array(size);
  const firstChild = new Uint32Array(size + 1);
  const start = new Float64Array(size);
  const levelStart = [0];
  parent[0] = -1;
  let child = 1;
  for (let node = 0; node < size; node++) {
    if (node > 0 && depth[node] !== depth[node - 1]) levelStart.push(node);
    firstChild[node] = child;
    let left = start[node] as number;
    for (const end = child + (childCount[node] as number); child < end; child++) {
      parent[child] = node;
      depth[child] = (depth[node] as number) + 1;
      start[child] = left;
      left += value[child] as number;
    }
  }
  firstChild[size] = child;
  levelStart.push(size);

  const nodeOfRow = new Int32Array(merged.parent.length).fill(-1);
  for (let node = 0; node < size; node++) nodeOfRow[rows[node] as number] = node;
  const nodeOf = Int32Array.from(merged.rowOf, (row) => nodeOfRow[row] as number);
  const origin = new Uint32Array(size);
  for (let i = data.nodes.parent.length - 1; i >= 0; i--) {
    const node = nodeOf[i] as number;
    // A hidden frame shares its ancestor's node, but must not stand for it.
    if (node !== -1 && data.nodes.frame[i] === merged.frame[rows[node] as number]) origin[node] = i;
  }

  return {
    size,
    metric,
    order,
    parent,
    frame: Uint32Array.from(rows, (row) => merged.frame[row] as number),
    depth,
    firstChild,
    levelStart: Uint32Array.from(levelStart),
    start,
    value,
    ownBytes,
    totalBytes,
    ownAllocations,
    totalAllocations,
    nodeOf,
    origin,
  };
}
