import { Uint32Column } from "../capture/columns.js";

const INITIAL_SLOTS = 1024;

/**
 * The places that allocate: each distinct (thread, stack node, allocator) is a location with an index of its own,
 * numbered in order of appearance.
 */
export class Locations {
  readonly thread = new Uint32Column();
  readonly node = new Uint32Column();
  readonly allocator = new Uint32Column();
  /** Hash table of location + 1; 0 is a free slot. */
  #slots = new Uint32Array(INITIAL_SLOTS);
  #mask = INITIAL_SLOTS - 1;
  #shift = 32 - Math.log2(INITIAL_SLOTS);

  get length(): number {
    return this.node.length;
  }

  /** The location's index; it is new when that is what `length` was before. */
  indexOf(thread: number, node: number, allocator: number): number {
    const slots = this.#slots;
    const nodes = this.node.items;
    const threads = this.thread.items;
    const allocators = this.allocator.items;
    let slot = hash(thread, node, allocator) >>> this.#shift;
    for (;;) {
      const location = (slots[slot] as number) - 1;
      if (location < 0) return this.#add(slot, thread, node, allocator);
      if (nodes[location] === node && threads[location] === thread && allocators[location] === allocator) {
        return location;
      }
      slot = (slot + 1) & this.#mask;
    }
  }

  #add(slot: number, thread: number, node: number, allocator: number): number {
    this.thread.push(thread);
    this.node.push(node);
    this.allocator.push(allocator);
    const count = this.node.length;
    this.#slots[slot] = count;
    if (count * 2 > this.#mask) this.#grow();
    return count - 1;
  }

  #grow(): void {
    const size = (this.#mask + 1) * 2;
    this.#slots = new Uint32Array(size);
    this.#mask = size - 1;
    this.#shift--;
    for (let location = 0; location < this.node.length; location++) {
      let slot = hash(this.thread.at(location), this.node.at(location), this.allocator.at(location)) >>> this.#shift;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & this.#mask;
      this.#slots[slot] = location + 1;
    }
  }
}

function hash(thread: number, node: number, allocator: number): number {
  return Math.imul(node ^ Math.imul(allocator ^ (thread << 8), 0x85ebca6b), 0x9e3779b1);
}
