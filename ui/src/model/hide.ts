import { Category, type FlameGraphData } from "../../../src/reporters/flamegraph-data.js";

/** A tree made of another's nodes: parents come before their children, row 0 is the root. */
export interface MergedNodes {
  readonly parent: Int32Array;
  readonly frame: Uint32Array;
  /** For each node of the data, the row that stands for it. */
  readonly rowOf: Int32Array;
}

/**
 * Takes frames out of the call tree: a hidden frame's children move to its nearest shown ancestor, where children of one
 * frame become one node. What a hidden frame allocated itself counts as its ancestor's own.
 */
export function hideFrames(data: FlameGraphData, hidden: ReadonlySet<Category>): MergedNodes {
  const { parent, frame } = data.nodes;
  const { category } = data.frames;
  const count = parent.length;
  const rowOf = new Int32Array(count);
  if (hidden.size === 0) {
    for (let node = 0; node < count; node++) rowOf[node] = node;
    return { parent, frame, rowOf };
  }
  const frames = category.length;
  const rows = new Map<number, number>();
  const outParent = new Int32Array(count);
  const outFrame = new Uint32Array(count);
  outParent[0] = -1;
  let size = 1;
  for (let node = 1; node < count; node++) {
    const above = rowOf[parent[node] as number] as number;
    const own = frame[node] as number;
    if (hidden.has(category[own] as Category)) {
      rowOf[node] = above;
      continue;
    }
    const key = above * frames + own;
    let row = rows.get(key);
    if (row === undefined) {
      row = size++;
      rows.set(key, row);
      outParent[row] = above;
      outFrame[row] = own;
    }
    rowOf[node] = row;
  }
  return { parent: outParent.subarray(0, size), frame: outFrame.subarray(0, size), rowOf };
}

/** The categories behind the two switches. */
export function hiddenCategories(hideInternals: boolean, hideDependencies: boolean): ReadonlySet<Category> {
  const hidden = new Set<Category>();
  if (hideInternals) hidden.add(Category.INTERNAL).add(Category.BUILTIN);
  if (hideDependencies) hidden.add(Category.DEPENDENCY);
  return hidden;
}
