import type { FlameGraphData } from "../../../src/reporters/flamegraph-data.js";

/**
 * The same allocations with their stacks the other way round: the root's children are the frames that allocated, and
 * below each frame are its callers. Frames and weights keep their numbers.
 */
export function invert(data: FlameGraphData): FlameGraphData {
  const { parent, frame } = data.nodes;
  const frames = data.frames.function.length;
  const rows = new Map<number, number>();
  const parents = [-1];
  const frameOf = [0];
  const rowOf = new Int32Array(parent.length).fill(-1);
  const node = Uint32Array.from(data.weights.node, (from) => {
    if (rowOf[from] !== -1) return rowOf[from] as number;
    let row = 0;
    for (let at = from; at > 0; at = parent[at] as number) {
      const key = row * frames + (frame[at] as number);
      let below = rows.get(key);
      if (below === undefined) {
        below = parents.length;
        rows.set(key, below);
        parents.push(row);
        frameOf.push(frame[at] as number);
      }
      row = below;
    }
    rowOf[from] = row;
    return row;
  });
  return {
    ...data,
    nodes: { parent: Int32Array.from(parents), frame: Uint32Array.from(frameOf) },
    weights: { ...data.weights, node },
  };
}
