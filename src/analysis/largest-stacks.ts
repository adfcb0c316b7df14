import type { Uint32Column } from "../capture/columns.js";
import type { LocationSums } from "./allocation-record.js";
import type { LocationFigures } from "./location-figures.js";

/** Steps of the scale of shares, per factor of two. */
const STEPS = 8;
/** Smaller shares than 2^-40 are not told apart. */
const LEVELS = 40;

/** What one stack holds, by thread and allocator. */
export interface StackAmount {
  /** Row of the stack, or of the longest part of it that has one. */
  readonly row: number;
  /** Whether the stack itself is too small to have a row. */
  readonly small: boolean;
  readonly thread: number;
  readonly allocator: number;
  bytes: number;
  count: number;
}

/** The part of the stack tree that holds most, the rest folded into it. */
export interface LargestStacks {
  /** Stack nodes by row, parents before children; row 0 is the empty stack. */
  readonly nodes: Uint32Array;
  /** Rows of their parents; -1 of row 0. */
  readonly parents: Int32Array;
  readonly amounts: readonly StackAmount[];
}

export interface LargestStacksOptions {
  /** Most rows, about. */
  readonly limit: number;
  /** The locations that count; all unless told. */
  readonly counted?: ((location: number) => boolean) | undefined;
}

/**
 * Which stacks hold most, of the bytes or of the allocations, with all that was called from them. A few passes over
 * columns, whatever the depth of the stacks.
 */
export function largestStacks(
  nodeParent: Uint32Column,
  locations: LocationFigures["locations"],
  sums: LocationSums,
  { limit, counted = () => true }: LargestStacksOptions,
): LargestStacks {
  const held: number[] = [];
  for (let location = 0; location < locations.length; location++) {
    if (sums.countOf(location) > 0 && counted(location)) held.push(location);
  }
  const share = shares(nodeParent, locations, sums, held);
  const { nodes, parents, rowOf } = rows(nodeParent, share, shareBelow(share, limit));
  const amounts = new Map<number, StackAmount>();
  for (const location of held) {
    const place = rowOf[locations.node.at(location)] as number;
    const small = place < 0;
    const row = small ? ~place : place;
    const thread = locations.thread.at(location);
    const allocator = locations.allocator.at(location);
    const key = ((row * 2 + (small ? 1 : 0)) * 2 ** 16 + (thread % 2 ** 16)) * 256 + allocator;
    let amount = amounts.get(key);
    if (amount === undefined) {
      amount = { row, small, thread, allocator, bytes: 0, count: 0 };
      amounts.set(key, amount);
    }
    amount.bytes += sums.bytesOf(location);
    amount.count += sums.countOf(location);
  }
  return { nodes, parents, amounts: [...amounts.values()] };
}

/** By stack node: its part of all bytes, or of all allocations where that is more, with what was called from it. */
function shares(
  nodeParent: Uint32Column,
  { node: nodes }: LocationFigures["locations"],
  sums: LocationSums,
  held: readonly number[],
): Float64Array {
  const parents = nodeParent.items;
  const bytes = new Float64Array(nodeParent.length);
  const counts = new Float64Array(nodeParent.length);
  for (const location of held) {
    const node = nodes.at(location);
    bytes[node] = (bytes[node] as number) + sums.bytesOf(location);
    counts[node] = (counts[node] as number) + sums.countOf(location);
  }
  // Parents have smaller numbers.
  for (let node = bytes.length - 1; node > 0; node--) {
    const count = counts[node] as number;
    if (count === 0) continue;
    const parent = parents[node] as number;
    bytes[parent] = (bytes[parent] as number) + (bytes[node] as number);
    counts[parent] = (counts[parent] as number) + count;
  }
  const perByte = 1 / Math.max(1, bytes[0] as number);
  const perCount = 1 / Math.max(1, counts[0] as number);
  for (let node = 0; node < bytes.length; node++) {
    bytes[node] = Math.max((bytes[node] as number) * perByte, (counts[node] as number) * perCount);
  }
  return bytes;
}

/** The share that at most `limit` nodes, or those that have all of it, are above; 0 where there are no more of them. */
function shareBelow(share: Float64Array, limit: number): number {
  const levels = new Uint32Array(LEVELS * STEPS + 1);
  let live = 0;
  for (let node = 0; node < share.length; node++) {
    const part = share[node] as number;
    if (part === 0) continue;
    live++;
    const level = Math.min(LEVELS * STEPS, Math.max(0, Math.floor(-Math.log2(part) * STEPS)));
    levels[level] = (levels[level] as number) + 1;
  }
  if (live <= limit) return 0;
  let room = limit;
  for (let level = 0; level < levels.length; level++) {
    room -= levels[level] as number;
    if (room < 0) return level === 0 ? 1 - Number.EPSILON : 2 ** (-level / STEPS);
  }
  return 0;
}

/** By node, `rowOf` is its row, or of one that is too small, ~ the row of its nearest ancestor that is not. */
function rows(
  nodeParent: Uint32Column,
  share: Float64Array,
  below: number,
): Pick<LargestStacks, "nodes" | "parents"> & { rowOf: Int32Array } {
  const above = nodeParent.items;
  const rowOf = new Int32Array(share.length);
  const nodes = [0];
  const parents = [-1];
  for (let node = 1; node < share.length; node++) {
    const part = share[node] as number;
    const parent = rowOf[above[node] as number] as number;
    if (part <= below || parent < 0) {
      rowOf[node] = parent < 0 ? parent : ~parent;
      continue;
    }
    rowOf[node] = nodes.length;
    nodes.push(node);
    parents.push(parent);
  }
  return { nodes: Uint32Array.from(nodes), parents: Int32Array.from(parents), rowOf };
}
