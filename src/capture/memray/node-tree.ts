import type { Uint32Column } from "../columns.js";

const INITIAL_SLOTS = 4096;

/** Gives each distinct (parent node, frame) a node of a tree of stacks: the rows of two columns, of which 0 is the root. */
export class NodeTree {
  readonly #parent: Uint32Column;
  readonly #frame: Uint32Column;
  /** An open-addressing table of nodes; 0 is an empty slot. */
  #slots = new Uint32Array(INITIAL_SLOTS);

  /** The columns have the root's row, and are not written by others. */
  constructor(parent: Uint32Column, frame: Uint32Column) {
    this.#parent = parent;
    this.#frame = frame;
  }

  parentOf(node: number): number {
    return this.#parent.at(node);
  }

  frameOf(node: number): number {
    return this.#frame.at(node);
  }

  /** The node of a frame that was called in `parent`. */
  child(parent: number, frame: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = hash(parent, frame) & mask;
    for (;;) {
      const node = slots[slot] as number;
      if (node === 0) break;
      if (this.#parent.items[node] === parent && this.#frame.items[node] === frame) return node;
      slot = (slot + 1) & mask;
    }
    const node = this.#parent.length;
    this.#parent.push(parent);
    this.#frame.push(frame);
    slots[slot] = node;
    if (2 * node > slots.length) this.#grow();
    return node;
  }

  #grow(): void {
    const slots = new Uint32Array(2 * this.#slots.length);
    const mask = slots.length - 1;
    for (let node = 1; node < this.#parent.length; node++) {
      let slot = hash(this.#parent.at(node), this.#frame.at(node)) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = node;
    }
    this.#slots = slots;
  }
}

function hash(parent: number, frame: number): number {
  const mixed = Math.imul(parent, 0x9e3779b1) ^ Math.imul(frame, 0x85ebca6b);
  return mixed ^ (mixed >>> 15);
}
