import { Uint32Column } from "../capture/columns.js";
import { type EventBatch, SNAPSHOT_EVENT } from "../capture/event-batch.js";
import { AllocatorType } from "../capture/wire.js";

const INITIAL_NODES = 1024;
/** A node that more places share than this (of a server with a thread for each request) has them in a map. */
const LONGEST_LIST = 32;

/** By the kind of an event: 1 for an allocation, otherwise 0. */
const IS_ALLOCATOR = new Uint8Array(256).fill(1);
for (const kind of [SNAPSHOT_EVENT, AllocatorType.FREE, AllocatorType.MUNMAP]) IS_ALLOCATOR[kind] = 0;

/**
 * The places that allocate: each distinct (thread, stack node, allocator) is a location with an index of its own,
 * numbered in order of appearance. Those of a stack node are a list that starts with the one asked for last, or a map.
 */
export class Locations {
  readonly thread = new Uint32Column();
  readonly node = new Uint32Column();
  readonly allocator = new Uint32Column();
  /** By location + 1: thread and allocator in one word (see `word`); 0 is nobody. */
  #words = new Uint32Array(INITIAL_NODES);
  /** By location + 1: the next of the same node, + 1; 0 ends the list. */
  #next = new Uint32Array(INITIAL_NODES);
  /** By stack node: the first of its list, + 1. */
  #first = new Uint32Array(INITIAL_NODES);
  /** By stack node, where its list is too long: by word, the location + 1. */
  readonly #maps = new Map<number, Map<number, number>>();
  /** Events whose locations are not the first of their nodes. */
  #others = new Uint32Array(INITIAL_NODES);

  get length(): number {
    return this.node.length;
  }

  /**
   * The locations of the allocations among the events [from, to), into `indexes` from 0 on; of frees, none that mean
   * anything. Most are those that their nodes had last: read for many at once, they do not wait for each other.
   */
  indexesOf({ kind, thread, node }: EventBatch, from: number, to: number, indexes: Uint32Array): void {
    if (to - from > this.#others.length) this.#others = new Uint32Array(to - from);
    const others = this.#others;
    const first = this.#first;
    const words = this.#words;
    let count = 0;
    for (let i = from; i < to; i++) {
      const allocator = kind[i] as number;
      const at = node[i] as number;
      const entry = at < first.length ? (first[at] as number) : 0;
      indexes[i - from] = entry - 1;
      others[count] = i;
      const differs = (words[entry] as number) ^ word(thread[i] as number, allocator);
      count += ((differs | (0 - differs)) >>> 31) & (IS_ALLOCATOR[allocator] as number);
    }
    for (let other = 0; other < count; other++) {
      const i = others[other] as number;
      indexes[i - from] = this.indexOf(thread[i] as number, node[i] as number, kind[i] as number);
    }
  }

  /** The location's index; it is new when that is what `length` was before. */
  indexOf(thread: number, node: number, allocator: number): number {
    const who = word(thread, allocator);
    const first = this.#firstOf(node);
    let map = this.#maps.size === 0 ? undefined : this.#maps.get(node);
    if (map !== undefined) {
      const known = map.get(who);
      if (known === undefined) return this.#add(thread, node, allocator, map);
      this.#first[node] = known;
      return known - 1;
    }
    let before = first;
    let length = 0;
    for (let entry = first; entry !== 0; entry = this.#next[entry] as number) {
      if (this.#words[entry] === who) {
        if (entry !== first) {
          this.#next[before] = this.#next[entry] as number;
          this.#next[entry] = first;
          this.#first[node] = entry;
        }
        return entry - 1;
      }
      before = entry;
      length++;
    }
    if (length > LONGEST_LIST) {
      map = new Map();
      for (let entry = first; entry !== 0; entry = this.#next[entry] as number) {
        map.set(this.#words[entry] as number, entry);
      }
      this.#maps.set(node, map);
    }
    return this.#add(thread, node, allocator, map);
  }

  #add(thread: number, node: number, allocator: number, map: Map<number, number> | undefined): number {
    this.thread.push(thread);
    this.node.push(node);
    this.allocator.push(allocator);
    const entry = this.length;
    if (entry === this.#words.length) {
      this.#words = larger(this.#words, 2 * entry);
      this.#next = larger(this.#next, 2 * entry);
    }
    const who = word(thread, allocator);
    this.#words[entry] = who;
    this.#next[entry] = this.#first[node] as number;
    this.#first[node] = entry;
    map?.set(who, entry);
    return entry - 1;
  }

  #firstOf(node: number): number {
    if (node >= this.#first.length) this.#first = larger(this.#first, Math.max(node + 1, 2 * this.#first.length));
    return this.#first[node] as number;
  }
}

/** Thread and allocator in one word. */
function word(thread: number, allocator: number): number {
  return ((thread << 8) | allocator) >>> 0;
}

function larger(column: Uint32Array, length: number): Uint32Array<ArrayBuffer> {
  const grown = new Uint32Array(length);
  grown.set(column);
  return grown;
}
