import type { CallTree } from "./tree.js";

export type Move = "child" | "parent" | "next" | "previous" | "root";

/** Where a key leads from a node; the node itself when there is nothing there. */
export function move(tree: CallTree, node: number, where: Move): number {
  switch (where) {
    case "root":
      return 0;
    case "parent":
      return Math.max(0, tree.parent[node] as number);
    case "child": {
      const first = tree.firstChild[node] as number;
      return first < (tree.firstChild[node + 1] as number) ? first : node;
    }
    case "next":
      return node + 1 < tree.size && tree.depth[node + 1] === tree.depth[node] ? node + 1 : node;
    case "previous":
      return node > 0 && tree.depth[node - 1] === tree.depth[node] ? node - 1 : node;
  }
}

/** The node and its ancestors, root first. */
export function pathTo(tree: CallTree, node: number): number[] {
  const path: number[] = [];
  for (let at = node; at !== -1; at = tree.parent[at] as number) path.push(at);
  return path.reverse();
}
