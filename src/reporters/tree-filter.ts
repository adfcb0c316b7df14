import type { TreeNode } from "./allocation-tree.js";

/** What of a tree is not shown. */
export interface TreeFilter {
  /** What only calls others; what it called moves up. */
  readonly hidesUninteresting: boolean;
  /** What loads modules, and all that it called. */
  readonly hidesImportSystem: boolean;
}

/** memray's, at the start. */
export const USUAL_FILTER: TreeFilter = { hidesUninteresting: true, hidesImportSystem: false };

/** What is shown below a node, the largest first. */
export function shownChildren(node: TreeNode, { hidesUninteresting, hidesImportSystem }: TreeFilter): TreeNode[] {
  const shown: TreeNode[] = [];
  const waiting = [...node.children];
  for (let child = waiting.pop(); child !== undefined; child = waiting.pop()) {
    if (hidesImportSystem && child.importSystem) continue;
    if (child.interesting || !hidesUninteresting) shown.push(child);
    else for (const further of child.children) waiting.push(further);
  }
  return shown.sort((a, b) => b.bytes - a.bytes || a.id - b.id);
}
