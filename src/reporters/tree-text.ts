import type { AllocationTree, TreeNode } from "./allocation-tree.js";
import { printable } from "./terminal-text.js";
import { shownChildren, USUAL_FILTER } from "./tree-filter.js";
import { elidedLabel, placeLabel, sizeLabel } from "./tree-label.js";

/** Characters of the longest indentation; deeper trees go on there. */
const LONGEST_INDENTATION = 240;

/**
 * The whole tree as text, line by line, each with its newline. What is called at one place only stands right below its
 * caller; where there are several, each has a branch.
 * @param cwd files below it are shown relative to it
 */
export function* treeText({ root, elided }: AllocationTree, cwd: string): Generator<string, void, undefined> {
  if (root.allocations === 0) {
    yield "<No allocations>\n";
    return;
  }
  const label = (node: TreeNode) => {
    const place = placeLabel(node, cwd);
    const name = printable(node.function);
    return `${sizeLabel(node.bytes, root.bytes)} ${name}${place === "" ? "" : `  ${place}`}`;
  };
  yield `${label(root)}\n`;
  /** What is still to be told, the next last. */
  const waiting: { text: string; node?: TreeNode; first: string; rest: string }[] = [];
  const branch = (nodes: readonly TreeNode[], indentation: string, more?: string) => {
    const n = nodes.length + (more === undefined ? 0 : 1);
    for (let i = n - 1; i >= 0; i--) {
      const node = nodes[i];
      const isLast = i === n - 1;
      const at = indentation.slice(-LONGEST_INDENTATION);
      const rest = `${at}${isLast ? "   " : "│  "}`;
      const text = node === undefined ? (more ?? "") : label(node);
      waiting.push({ text, first: `${at}${isLast ? "└─ " : "├─ "}`, rest, ...(node && { node }) });
    }
  };
  const more = `${sizeLabel(elided.bytes, root.bytes)} ${elidedLabel(elided)}`;
  branch(shownChildren(root, USUAL_FILTER), "", elided.locations === 0 ? undefined : more);
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { first, text, rest, node } = next;
    yield `${first}${text}\n`;
    if (node === undefined) continue;
    let children = shownChildren(node, USUAL_FILTER);
    for (let only = children[0]; only !== undefined && children.length === 1; only = children[0]) {
      yield `${rest}${label(only)}\n`;
      children = shownChildren(only, USUAL_FILTER);
    }
    branch(children, rest);
  }
}
