import type { NodeTree } from "./node-tree.js";

const INITIAL_DEPTH = 64;

/**
 * What a thread is executing. memray tells of every call and return, of which most allocate nothing: a frame gets its node
 * when something is allocated in it.
 */
export class CallStack {
  /** The frames, the outermost first. */
  depth = 0;
  frames = new Uint32Array(INITIAL_DEPTH);
  #nodes = new Uint32Array(INITIAL_DEPTH);
  /** How many of the outermost frames have their nodes. */
  #placed = 0;
  /** How many of the outermost frames are left out. */
  readonly #skipped: number;

  constructor(skipped: number) {
    this.#skipped = skipped;
  }

  push(frame: number): void {
    if (this.depth === this.frames.length) this.#grow();
    this.frames[this.depth++] = frame;
  }

  /** False where there are not so many. */
  pop(count: number): boolean {
    if (count > this.depth) return false;
    this.depth -= count;
    if (this.#placed > this.depth) this.#placed = this.depth;
    return true;
  }

  /** The node of the innermost frame; 0 where there is none. */
  node(tree: NodeTree): number {
    const depth = this.depth;
    if (depth === 0) return 0;
    const nodes = this.#nodes;
    let placed = this.#placed;
    let node = placed === 0 ? 0 : (nodes[placed - 1] as number);
    for (; placed < depth; placed++) {
      if (placed >= this.#skipped) node = tree.child(node, this.frames[placed] as number);
      nodes[placed] = node;
    }
    this.#placed = placed;
    return node;
  }

  #grow(): void {
    const frames = new Uint32Array(2 * this.frames.length);
    const nodes = new Uint32Array(2 * this.frames.length);
    frames.set(this.frames);
    nodes.set(this.#nodes);
    this.frames = frames;
    this.#nodes = nodes;
  }
}
