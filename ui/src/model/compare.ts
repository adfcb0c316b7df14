import type { FlameGraphData } from "../../../src/reporters/flamegraph-data.js";
import { type HoldingLine, holdingLines, type LineScope, type LineShare, lineKeys, totalLines } from "./lines.js";
import { type Amounts, sideOf } from "./sides.js";
import { type CallTree, counts, type TreeOptions } from "./tree.js";

/** What each node of a tree holds on one side, whatever its width stands for. */
interface NodeAmounts {
  readonly ownBytes: Float64Array;
  readonly totalBytes: Float64Array;
  readonly ownAllocations: Float64Array;
  readonly totalAllocations: Float64Array;
}

export interface TreeChange {
  readonly before: NodeAmounts;
  readonly after: NodeAmounts;
}

/** Both sides of the drawn nodes. A frame that has no width under the options still counts for those above it. */
export function treeChange(data: FlameGraphData, tree: CallTree, options: TreeOptions): TreeChange {
  const { parent } = data.nodes;
  const { node } = data.weights;
  const shown = Int32Array.from(tree.nodeOf);
  for (let at = 1; at < shown.length; at++) {
    if (shown[at] === -1) shown[at] = shown[parent[at] as number] as number;
  }
  const amountsOf = (amounts: Amounts): NodeAmounts => {
    const sums = () => new Float64Array(tree.size);
    const out = { ownBytes: sums(), totalBytes: sums(), ownAllocations: sums(), totalAllocations: sums() };
    const add = (to: Float64Array, at: number, amount: number): void => {
      to[at] = (to[at] as number) + amount;
    };
    for (let i = 0; i < node.length; i++) {
      if (!counts(data, options, i)) continue;
      const at = node[i] as number;
      const nearest = shown[at] as number;
      const [bytes, allocations] = [amounts.bytes[i] as number, amounts.allocations[i] as number];
      add(out.totalBytes, nearest, bytes);
      add(out.totalAllocations, nearest, allocations);
      if (tree.nodeOf[at] === -1) continue;
      add(out.ownBytes, nearest, bytes);
      add(out.ownAllocations, nearest, allocations);
    }
    for (let at = tree.size - 1; at > 0; at--) {
      const above = tree.parent[at] as number;
      add(out.totalBytes, above, out.totalBytes[at] as number);
      add(out.totalAllocations, above, out.totalAllocations[at] as number);
    }
    return out;
  };
  return { before: amountsOf(sideOf(data, "before")), after: amountsOf(sideOf(data, "after")) };
}

/** A line, and what it held on both sides. */
export interface LineChange {
  /** A frame at this line. */
  readonly frame: number;
  readonly before: Pick<HoldingLine, "bytes" | "allocations">;
  readonly after: Pick<HoldingLine, "bytes" | "allocations">;
}

/** Every line that holds anything on either side, the largest change of the metric first. */
export function lineChanges(
  data: FlameGraphData,
  options: TreeOptions,
  scope: LineScope,
  share: LineShare,
): LineChange[] {
  const keys = lineKeys(data);
  const linesOf = share === "own" ? holdingLines : totalLines;
  const found = new Map<string, LineChange>();
  const nothing = { bytes: 0, allocations: 0 };
  for (const side of ["after", "before"] as const) {
    const { bytes, allocations } = sideOf(data, side);
    for (const line of linesOf({ ...data, weights: { ...data.weights, bytes, allocations } }, options, scope)) {
      const key = keys[line.frame] as string;
      const known = found.get(key) ?? { frame: line.frame, before: nothing, after: nothing };
      found.set(key, { ...known, [side]: { bytes: line.bytes, allocations: line.allocations } });
    }
  }
  const change = ({ before, after }: LineChange): number => Math.abs(after[options.metric] - before[options.metric]);
  const size = ({ before, after }: LineChange): number => Math.max(after[options.metric], before[options.metric]);
  return [...found.values()].sort((a, b) => change(b) - change(a) || size(b) - size(a));
}
