import type { NodeTree } from "./node-tree.js";

const INITIAL_DEPTH = 64;

/**
 * What a thread is executing. memray tells of every call and return, of which most allocate nothing: a call gets its node
 * when something is allocated in it.
 */
export class CallStack {
  /** Calls that have not returned. */
  depth = 0;
  /** The calls, the outermost first. */
  #calls = new Uint32Array(INITIAL_DEPTH);
  #nodes = new Uint32Array(INITIAL_DEPTH);
  /** How many of the outermost calls have their nodes. */
  #placed = 0;
  push(call: number): void {
    if (this.depth === this.#calls.length) this.#grow();
    this.#calls[this.depth++] = call;
  }

  /** False where there are not so many. */
  pop(count: number): boolean {
    if (count > this.depth) return false;
    this.depth -= count;
    if (this.#placed > this.depth) this.#placed = this.depth;
    return true;
  }

  /** The node of the innermost call; 0 where there is none. */
  node(tree: NodeTree): number {
    const depth = this.depth;
    if (depth === 0) return 0;
    const nodes = this.#nodes;
    let placed = this.#placed;
    let node = placed === 0 ? 0 : (nodes[placed - 1] as number);
    for (; placed < depth; placed++) {
      node = tree.child(node, this.#calls[placed] as number);
      nodes[placed] = node;
    }
    this.#placed = placed;
    return node;
  }

  #grow(): void {
    const calls = new Uint32Array(2 * this.#calls.length);
    const nodes = new Uint32Array(2 * this.#calls.length);
    calls.set(this.#calls);
    nodes.set(this.#nodes);
    this.#calls = calls;
    this.#nodes = nodes;
  }
}
