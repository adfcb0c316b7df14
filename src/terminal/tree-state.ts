import type { AllocationTree, ElidedLocations, TreeNode } from "../reporters/allocation-tree.js";
import { shownChildren, type TreeFilter, USUAL_FILTER } from "../reporters/tree-filter.js";

/** A row of the tree as it is shown. */
export interface TreeRow {
  /** Undefined for the row that stands for the locations below the threshold. */
  readonly node: TreeNode | undefined;
  /** The row that this one is below; undefined for the root. */
  readonly parent: TreeRow | undefined;
  readonly level: number;
  /** Whether it is the last one below its parent. */
  readonly isLast: boolean;
}

/** What a key did. */
export type KeyEffect = "changed" | "quit" | "interrupt" | "none";

/** The tree as one walks through it: what is expanded, hidden and selected. Only what is expanded has rows. */
export class TreeState {
  readonly total: number;
  readonly elided: ElidedLocations;
  readonly biggest: number;
  /** Whether the keys are explained instead of the tree shown. */
  helps = false;
  readonly #root: TreeNode;
  readonly #expanded = new Set<TreeNode>();
  /** By node, with the filter that is on. */
  readonly #children = new Map<TreeNode, readonly TreeNode[]>();
  #filter: TreeFilter = USUAL_FILTER;
  #rows: readonly TreeRow[] = [];
  #cursor = 0;
  /** Rows of the tree that fit on the screen, as far as it is known. */
  #pageRows = 10;

  constructor({ root, elided, biggest }: AllocationTree) {
    this.#root = root;
    this.total = root.bytes;
    this.elided = elided;
    this.biggest = biggest;
    this.#restart();
  }

  get rows(): readonly TreeRow[] {
    return this.#rows;
  }

  /** The selected row's index. */
  get cursor(): number {
    return this.#cursor;
  }

  get selected(): TreeRow {
    return this.#rows[this.#cursor] as TreeRow;
  }

  get filter(): TreeFilter {
    return this.#filter;
  }

  isExpanded(node: TreeNode): boolean {
    return this.#expanded.has(node);
  }

  /** Whether there is anything to show below a node. */
  canExpand(node: TreeNode): boolean {
    return this.#childrenOf(node).length > 0 || (node === this.#root && this.elided.locations > 0);
  }

  /** Tells how many rows PAGE_UP and PAGE_DOWN go over. */
  setPageRows(rows: number): void {
    this.#pageRows = Math.max(1, rows);
  }

  /** @param key by terminal-kit's names */
  press(key: string): KeyEffect {
    if (key === "q") return "quit";
    if (key === "CTRL_C") return "interrupt";
    if (this.helps || key === "?") {
      this.helps = !this.helps;
      return "changed";
    }
    const action = this.#actions.get(key);
    if (action === undefined) return "none";
    action();
    return "changed";
  }

  readonly #actions = new Map<string, () => void>([
    ["UP", () => this.#moveTo(this.#cursor - 1)],
    ["DOWN", () => this.#moveTo(this.#cursor + 1)],
    ["PAGE_UP", () => this.#moveTo(this.#cursor - this.#pageRows)],
    ["PAGE_DOWN", () => this.#moveTo(this.#cursor + this.#pageRows)],
    ["HOME", () => this.#moveTo(0)],
    ["END", () => this.#moveTo(this.#rows.length - 1)],
    ["LEFT", () => this.#goLeft()],
    ["RIGHT", () => this.#goRight()],
    ["ENTER", () => this.#toggle()],
    ["KP_ENTER", () => this.#toggle()],
    [" ", () => this.#toggle()],
    ["e", () => this.#toggleLinearGroup()],
    ["i", () => this.#show({ hidesImportSystem: !this.#filter.hidesImportSystem })],
    ["u", () => this.#show({ hidesUninteresting: !this.#filter.hidesUninteresting })],
  ]);

  #moveTo(row: number): void {
    this.#cursor = Math.max(0, Math.min(row, this.#rows.length - 1));
  }

  #goLeft(): void {
    const { node, parent } = this.selected;
    if (node !== undefined && this.#expanded.delete(node)) this.#layOut();
    else if (parent !== undefined) this.#cursor = this.#rows.indexOf(parent);
  }

  #goRight(): void {
    const { node } = this.selected;
    if (node === undefined || !this.canExpand(node)) return;
    if (this.#expanded.has(node)) {
      this.#moveTo(this.#cursor + 1);
    } else {
      this.#expanded.add(node);
      this.#layOut();
    }
  }

  #toggle(): void {
    const { node } = this.selected;
    if (node === undefined || !this.canExpand(node)) return;
    if (!this.#expanded.delete(node)) this.#expanded.add(node);
    this.#layOut();
  }

  /** Down to where there is more than one way. */
  #toggleLinearGroup(): void {
    let { node } = this.selected;
    if (node === undefined) return;
    const expands = !this.#expanded.has(node);
    while (node !== undefined) {
      const children: readonly TreeNode[] = this.#childrenOf(node);
      if (!expands) this.#expanded.delete(node);
      else if (this.canExpand(node)) this.#expanded.add(node);
      node = children.length === 1 ? children[0] : undefined;
    }
    this.#layOut();
  }

  #show(change: Partial<TreeFilter>): void {
    this.#filter = { ...this.#filter, ...change };
    this.#children.clear();
    this.#restart();
  }

  /** The root is selected, and the largest way through the tree expanded. */
  #restart(): void {
    this.#expanded.clear();
    this.#cursor = 0;
    for (let node: TreeNode | undefined = this.#root; node !== undefined; node = this.#childrenOf(node)[0]) {
      if (this.canExpand(node)) this.#expanded.add(node);
    }
    this.#layOut();
  }

  #childrenOf(node: TreeNode): readonly TreeNode[] {
    let children = this.#children.get(node);
    if (children === undefined) {
      children = shownChildren(node, this.#filter);
      this.#children.set(node, children);
    }
    return children;
  }

  #layOut(): void {
    const rows: TreeRow[] = [];
    const hasElided = this.elided.locations > 0;
    const waiting: TreeRow[] = [{ node: this.#root, parent: undefined, level: 0, isLast: true }];
    for (let row = waiting.pop(); row !== undefined; row = waiting.pop()) {
      rows.push(row);
      const { node, level } = row;
      if (node === undefined || !this.#expanded.has(node)) continue;
      const children = this.#childrenOf(node);
      const below = { parent: row, level: level + 1 };
      const elidedFollow = node === this.#root && hasElided;
      if (elidedFollow) waiting.push({ ...below, node: undefined, isLast: true });
      for (let i = children.length - 1; i >= 0; i--) {
        const child = children[i] as TreeNode;
        const isLast = i === children.length - 1 && !elidedFollow;
        waiting.push({ ...below, node: child, isLast });
      }
    }
    this.#rows = rows;
    this.#moveTo(this.#cursor);
  }
}
