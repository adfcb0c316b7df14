import { Uint32Column } from "../capture/columns.js";
import { halved } from "./snapshot-intervals.js";

/**
 * When allocations were made: each distinct (location, interval between two memory snapshots) that allocates is a birth
 * with a number of its own. A live block is kept with its birth in place of its location, so that to know how long
 * blocks live costs no memory by block.
 *
 * Most births are short: nothing of them is live any more when their interval ends. Their numbers are given again.
 */
export class Births {
  /** By birth. */
  readonly location = new Uint32Column();
  /** By birth. Where intervals were halved, several births of a location can have the same. */
  readonly interval = new Uint32Column();
  /** By location: its last birth. */
  readonly #last = new Uint32Column();
  readonly #released: number[] = [];

  constructor() {
    // The birth 0 stands for none.
    this.location.push(0);
    this.interval.push(0);
  }

  /** One more than the largest number. */
  get length(): number {
    return this.location.length;
  }

  /** The location's birth in the interval that is going on. */
  of(location: number, now: number): number {
    const last = this.#last;
    while (last.length <= location) last.push(0);
    const birth = last.items[location] as number;
    // A number that was released may have become another location's.
    if (this.interval.items[birth] === now && this.location.items[birth] === location && birth !== 0) return birth;
    const made = this.#make(location, now);
    last.items[location] = made;
    return made;
  }

  /** Lets the birth's number be given again; nothing of it may be live, and its interval must be over. */
  release(birth: number): void {
    this.#released.push(birth);
  }

  /** Two intervals at a time become one; `now` is the one that was going on. */
  halve(now: number): void {
    const { items, length } = this.interval;
    for (let birth = 1; birth < length; birth++) items[birth] = halved(items[birth] as number, now);
  }

  #make(location: number, now: number): number {
    const again = this.#released.pop();
    if (again !== undefined) {
      this.location.items[again] = location;
      this.interval.items[again] = now;
      return again;
    }
    this.location.push(location);
    this.interval.push(now);
    return this.location.length - 1;
  }
}
