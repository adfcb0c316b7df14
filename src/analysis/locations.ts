import { Uint32Column } from "../capture/columns.js";

const INITIAL_NODES = 1024;

/**
 * The places that allocate: each distinct (thread, stack node, allocator) is a location with an index of its own,
 * numbered in order of appearance. Those of a stack node are a list that starts with the one asked for last.
 */
export class Locations {
  /** Keeps the reads of `guess` from being left out. @internal */
  guessed = 0;
  readonly thread = new Uint32Column();
  readonly node = new Uint32Column();
  readonly allocator = new Uint32Column();
  /** By location + 1: thread and allocator in one word (see `word`); 0 is nobody. Replaced as it grows. */
  words = new Uint32Array(INITIAL_NODES);
  /** By location + 1: the next of the same node, + 1; 0 ends the list. */
  #next = new Uint32Array(INITIAL_NODES);
  /** By stack node: the first of its list, + 1. */
  #first = new Uint32Array(INITIAL_NODES);

  get length(): number {
    return this.node.length;
  }

  /**
   * For each of the nodes [from, to) an entry that likely has its location: where `words` has the word of the thread and
   * the allocator, the location is the entry - 1. Read for many at once, they do not wait for each other.
   */
  guess(nodes: Uint32Array, from: number, to: number, entries: Uint32Array): void {
    const first = this.#first;
    const { words } = this;
    let sum = 0;
    for (let i = from; i < to; i++) {
      const node = nodes[i] as number;
      const entry = node < first.length ? (first[node] as number) : 0;
      entries[i - from] = entry;
      sum += words[entry] as number;
    }
    this.guessed = sum;
  }

  /** The location's index; it is new when that is what `length` was before. */
  indexOf(thread: number, node: number, allocator: number): number {
    const who = word(thread, allocator);
    const first = this.#firstOf(node);
    let before = first;
    for (let entry = first; entry !== 0; entry = this.#next[entry] as number) {
      if (this.words[entry] === who) {
        if (entry !== first) {
          this.#next[before] = this.#next[entry] as number;
          this.#next[entry] = first;
          this.#first[node] = entry;
        }
        return entry - 1;
      }
      before = entry;
    }
    this.thread.push(thread);
    this.node.push(node);
    this.allocator.push(allocator);
    const entry = this.length;
    if (entry === this.words.length) {
      this.words = larger(this.words, 2 * entry);
      this.#next = larger(this.#next, 2 * entry);
    }
    this.words[entry] = who;
    this.#next[entry] = first;
    this.#first[node] = entry;
    return entry - 1;
  }

  #firstOf(node: number): number {
    if (node >= this.#first.length) this.#first = larger(this.#first, Math.max(node + 1, 2 * this.#first.length));
    return this.#first[node] as number;
  }
}

/** Thread and allocator in one word. */
export function word(thread: number, allocator: number): number {
  return ((thread << 8) | allocator) >>> 0;
}

function larger(column: Uint32Array, length: number): Uint32Array<ArrayBuffer> {
  const grown = new Uint32Array(length);
  grown.set(column);
  return grown;
}
