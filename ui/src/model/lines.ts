import { Category, type FlameGraphData } from "../../../src/reporters/flamegraph-data.js";
import { type CallTree, counts, type TreeOptions } from "./tree.js";

/** A line of source, and the memory that it is answerable for. */
export interface HoldingLine {
  /** A frame at this line: the one that holds most. */
  readonly frame: number;
  readonly bytes: number;
  readonly allocations: number;
}

/** Whose lines answer for memory: the program's before those of packages, or whichever is nearer to the allocation. */
export type LineScope = "program" | "any";

/**
 * The lines that hold most: each allocation counts for the innermost line of the program on its stack; without one, for
 * the innermost line of an installed package; without that, for the innermost frame. So the sum is the whole.
 */
export function holdingLines(data: FlameGraphData, options: TreeOptions, scope: LineScope): HoldingLine[] {
  const { parent, frame } = data.nodes;
  const { category } = data.frames;
  const keys = lineKeys(data);
  const program = new Int32Array(parent.length).fill(-1);
  const dependency = new Int32Array(parent.length).fill(-1);
  const lines = new Map<string, LineSums>();
  for (let node = 1; node < parent.length; node++) {
    const own = frame[node] as number;
    const above = parent[node] as number;
    const first = category[own] === Category.PROGRAM || (scope === "any" && category[own] === Category.DEPENDENCY);
    program[node] = first ? own : (program[above] as number);
    dependency[node] = category[own] === Category.DEPENDENCY ? own : (dependency[above] as number);
  }
  const { weights } = data;
  for (let i = 0; i < weights.node.length; i++) {
    if (!counts(data, options, i)) continue;
    const node = weights.node[i] as number;
    let holder = program[node] as number;
    if (holder === -1) holder = dependency[node] as number;
    if (holder === -1) holder = frame[node] as number;
    // What is too small to be shown is below the frame that answers for it.
    if (category[holder] === Category.SMALL && parent[node] !== 0) holder = frame[parent[node] as number] as number;
    addTo(lines, keys[holder] as string, holder, weights.bytes[i] as number, weights.allocations[i] as number);
  }
  return sorted(lines, options);
}

interface LineSums {
  /** Bytes by frame. */
  readonly frames: Map<number, number>;
  bytes: number;
  allocations: number;
}

function addTo(lines: Map<string, LineSums>, key: string, frame: number, bytes: number, allocations: number): void {
  let row = lines.get(key);
  if (!row) {
    row = { frames: new Map(), bytes: 0, allocations: 0 };
    lines.set(key, row);
  }
  row.frames.set(frame, (row.frames.get(frame) ?? 0) + bytes);
  row.bytes += bytes;
  row.allocations += allocations;
}

/** The lines that hold anything, largest first. */
function sorted(lines: ReadonlyMap<string, LineSums>, options: TreeOptions): HoldingLine[] {
  const amount = (row: { bytes: number; allocations: number }): number =>
    options.metric === "bytes" ? row.bytes : row.allocations;
  return [...lines.values()]
    .filter((row) => amount(row) > 0)
    .sort((a, b) => amount(b) - amount(a))
    .map((row) => ({ frame: largest(row.frames), bytes: row.bytes, allocations: row.allocations }));
}

/** Whether a line answers for what it allocated itself, or also for all that it called. */
export type LineShare = "own" | "total";

/**
 * The lines below which most was allocated: an allocation counts for every line on its stack, once. Of the program's lines
 * alone, or of any.
 */
export function totalLines(data: FlameGraphData, options: TreeOptions, scope: LineScope): HoldingLine[] {
  const { parent, frame } = data.nodes;
  const { category } = data.frames;
  const bytes = new Float64Array(parent.length);
  const allocations = new Float64Array(parent.length);
  const { weights } = data;
  for (let i = 0; i < weights.node.length; i++) {
    if (!counts(data, options, i)) continue;
    const node = weights.node[i] as number;
    bytes[node] = (bytes[node] as number) + (weights.bytes[i] as number);
    allocations[node] = (allocations[node] as number) + (weights.allocations[i] as number);
  }
  for (let node = parent.length - 1; node > 0; node--) {
    const above = parent[node] as number;
    bytes[above] = (bytes[above] as number) + (bytes[node] as number);
    allocations[above] = (allocations[above] as number) + (allocations[node] as number);
  }
  const lines = new Map<string, LineSums>();
  const keys = lineKeys(data);
  /** The path to the node, and how often each line is on it. */
  const path: number[] = [];
  const onPath = new Map<string, number>();
  for (let node = 1; node < parent.length; node++) {
    while (path.length > 0 && path.at(-1) !== parent[node]) {
      const left = keys[frame[path.pop() as number] as number] as string;
      onPath.set(left, (onPath.get(left) as number) - 1);
    }
    const own = frame[node] as number;
    const key = keys[own] as string;
    const times = onPath.get(key) ?? 0;
    path.push(node);
    onPath.set(key, times + 1);
    if (times > 0 || (scope === "program" && category[own] !== Category.PROGRAM)) continue;
    addTo(lines, key, own, bytes[node] as number, allocations[node] as number);
  }
  return sorted(lines, options);
}

/** What frames of one line have in common. */
export function lineKeys({ frames, comparison }: FlameGraphData): string[] {
  const { file, line, function: names } = frames;
  return Array.from(names, (name, at) => {
    if (file[at] === 0) return `thread ${name}`;
    // Of two versions, one line may be of different functions.
    return comparison ? `${file[at]}:${line[at]} ${name}` : `${file[at]}:${line[at]}`;
  });
}

/** The largest node of the tree at the frame's line; -1 when the line is not in the tree. */
export function nodeOfLine(data: FlameGraphData, tree: CallTree, frame: number): number {
  const keys = lineKeys(data);
  let found = -1;
  for (let node = 1; node < tree.size; node++) {
    if (keys[tree.frame[node] as number] !== keys[frame]) continue;
    if (found === -1 || (tree.value[node] as number) > (tree.value[found] as number)) found = node;
  }
  return found;
}

function largest(frames: ReadonlyMap<number, number>): number {
  let best = 0;
  let most = -1;
  for (const [frame, bytes] of frames) {
    if (bytes > most) {
      best = frame;
      most = bytes;
    }
  }
  return best;
}
