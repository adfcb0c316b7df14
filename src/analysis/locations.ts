import { Uint32Column } from "../capture/columns.js";

const INITIAL_NODES = 1024;

/**
 * The places that allocate: each distinct (thread, stack node, allocator) is a location with an index of its own,
 * numbered in order of appearance. Those of a stack node are a list that starts with the one asked for last.
 */
export class Locations {
  readonly thread = new Uint32Column();
  readonly node = new Uint32Column();
  readonly allocator = new Uint32Column();
  /** By location + 1: thread and allocator in one word; 0 is nobody. */
  readonly #who = new Uint32Column();
  /** By location + 1: the next of the same node, + 1; 0 ends the list. */
  readonly #next = new Uint32Column();
  /** By stack node: the first of its list, + 1. */
  #first = new Uint32Array(INITIAL_NODES);

  constructor() {
    this.#who.push(0);
    this.#next.push(0);
  }

  get length(): number {
    return this.node.length;
  }

  /** The location's index; it is new when that is what `length` was before. */
  indexOf(thread: number, node: number, allocator: number): number {
    const first = this.#first;
    if (node < first.length) {
      const entry = first[node] as number;
      if (this.#who.items[entry] === word(thread, allocator)) return entry - 1;
    }
    return this.#find(thread, node, allocator);
  }

  #find(thread: number, node: number, allocator: number): number {
    if (node >= this.#first.length) {
      const grown = new Uint32Array(Math.max(node + 1, 2 * this.#first.length));
      grown.set(this.#first);
      this.#first = grown;
    }
    const who = word(thread, allocator);
    const first = this.#first[node] as number;
    let before = first;
    for (let entry = first; entry !== 0; entry = this.#next.at(entry)) {
      if (this.#who.at(entry) === who) {
        this.#next.items[before] = this.#next.at(entry);
        this.#next.items[entry] = first;
        this.#first[node] = entry;
        return entry - 1;
      }
      before = entry;
    }
    this.thread.push(thread);
    this.node.push(node);
    this.allocator.push(allocator);
    this.#who.push(who);
    this.#next.push(first);
    this.#first[node] = this.length;
    return this.length - 1;
  }
}

function word(thread: number, allocator: number): number {
  return ((thread << 8) | allocator) >>> 0;
}
