import { Uint32Column } from "../capture/columns.js";
import { AllocatorType } from "../capture/wire.js";
import { halved } from "./snapshot-intervals.js";

const PAIR = 2;
const FREE = AllocatorType.FREE;

/**
 * When allocations were made: each distinct (location, interval between two memory snapshots) that allocates is a birth
 * with a number of its own. A live block is kept with its birth in place of its location, so that to know how long
 * blocks live costs no memory by block.
 *
 * Most births are short: nothing of them is live any more when their interval ends. Their numbers are given again.
 */
export class Births {
  /**
   * By birth, in one column because they are read together: location and interval. Where intervals were halved, several
   * births of a location can have the same.
   */
  readonly pairs = new Uint32Column();
  /** By location: its last birth. */
  readonly #last = new Uint32Column();
  readonly #released: number[] = [];

  constructor() {
    // The birth 0 stands for none.
    this.pairs.push(0);
    this.pairs.push(0);
  }

  /** One more than the largest number. */
  get length(): number {
    return this.pairs.length / PAIR;
  }

  locationOf(birth: number): number {
    return this.pairs.at(birth * PAIR);
  }

  /** The interval that the birth was in. */
  intervalOf(birth: number): number {
    return this.pairs.at(birth * PAIR + 1);
  }

  /** The location's birth in the interval that is going on. */
  of(location: number, now: number): number {
    this.#reserve(location);
    const last = this.#last.items;
    const birth = last[location] as number;
    // A number that was released may have become another location's.
    const pairs = this.pairs.items;
    if (pairs[birth * PAIR + 1] === now && pairs[birth * PAIR] === location && birth !== 0) return birth;
    const made = this.#make(location, now);
    last[location] = made;
    return made;
  }

  /** Puts their births in the place of the locations of the events [from, to), which are in `ids` from 0 on. */
  ofMany(kind: Uint8Array, from: number, to: number, ids: Uint32Array, now: number): void {
    const last = this.#last.items;
    const pairs = this.pairs.items;
    for (let i = from; i < to; i++) {
      if (kind[i] === FREE) continue;
      const location = ids[i - from] as number;
      const birth = location < last.length ? (last[location] as number) : 0;
      // The columns may be replaced by then, which makes these out of date and not wrong.
      const isLast = birth !== 0 && pairs[birth * PAIR + 1] === now && pairs[birth * PAIR] === location;
      ids[i - from] = isLast ? birth : this.of(location, now);
    }
  }

  /** The locations of the births [from, to), into the same rows. */
  locationsOf(births: Uint32Array, from: number, to: number, locations: Uint32Array): void {
    const pairs = this.pairs.items;
    for (let row = from; row < to; row++) locations[row] = pairs[(births[row] as number) * PAIR] as number;
  }

  /** Lets the birth's number be given again; nothing of it may be live, and its interval must be over. */
  release(birth: number): void {
    this.#released.push(birth);
  }

  /** Two intervals at a time become one; `now` is the one that was going on. */
  halve(now: number): void {
    const { items, length } = this.pairs;
    for (let at = 1; at < length; at += PAIR) items[at] = halved(items[at] as number, now);
  }

  #reserve(location: number): void {
    const last = this.#last;
    while (last.length <= location) last.push(0);
  }

  #make(location: number, now: number): number {
    const again = this.#released.pop();
    if (again !== undefined) {
      this.pairs.items[again * PAIR] = location;
      this.pairs.items[again * PAIR + 1] = now;
      return again;
    }
    this.pairs.push(location);
    this.pairs.push(now);
    return this.length - 1;
  }
}
