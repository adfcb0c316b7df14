import { Float64Column, Uint32Column } from "../capture/columns.js";
import type { Births } from "./births.js";
import { IntervalRecords, merged, NEVER } from "./interval-records.js";
import type { ChangeReader, MemoryChanges } from "./memory-changes.js";
import { halved } from "./snapshot-intervals.js";

/** Per birth or row, in one column because they change together: bytes and allocations. */
const PAIR = 2;

/**
 * How long allocations lived, in intervals between memory snapshots: what was allocated in which and freed in which, by
 * location. A temporal flame graph of leaks shows from it what was allocated in a range of time and not freed in it.
 * Allocations that were freed in the interval that they were made in are in no such range and not kept.
 *
 * A range that was shortened has freed bytes and no allocation, one that was cut in two -1 allocation: so that the sums
 * are those of the live ranges at any time.
 */
export class AllocationLifetimes implements ChangeReader {
  readonly #births: Births;
  /** The interval that is going on. */
  #now = 0;

  // Per birth: what of it is live; its last row, + 1; whether its number is in use.
  readonly #live = new Float64Column();
  readonly #lastRow = new Uint32Column();
  readonly #isKnown = new Uint32Column();
  /** The births of the interval that is going on. */
  #recent: number[] = [];

  // A row per birth and interval in which some of it was freed, later than it was made.
  #freedIn = new Uint32Column();
  /** Pairs. */
  #freed = new Float64Column();
  /** The row before of the same birth, + 1. */
  #rowBefore = new Uint32Column();

  /** `births`: those of the LiveMemory whose changes it is told. */
  constructor(births: Births) {
    this.#births = births;
  }

  take(changes: MemoryChanges): void {
    if (changes.intervalsHalved) this.#halve();
    while (this.#isKnown.length < this.#births.length) {
      this.#live.push(0);
      this.#live.push(0);
      this.#lastRow.push(0);
      this.#isKnown.push(0);
    }
    let from = 0;
    for (let i = 0; i < changes.snapshotAt.length; i++) {
      if (changes.startsInterval[i] !== true) continue;
      const to = changes.snapshotAt[i] as number;
      this.#follow(changes, from, to);
      this.#endInterval();
      from = to;
    }
    this.#follow(changes, from, changes.length);
  }

  /** What was allocated in an interval and freed in a later one, or not at all, a row for each location and pair of those. */
  records(): IntervalRecords {
    const unsorted = new IntervalRecords();
    for (let birth = 1; birth < this.#isKnown.length; birth++) {
      if (this.#isKnown.at(birth) === 0) continue;
      const location = this.#births.location.at(birth);
      const made = this.#births.interval.at(birth);
      const [bytes, count] = [this.#live.at(birth * PAIR), this.#live.at(birth * PAIR + 1)];
      if (bytes !== 0 || count !== 0) unsorted.push(location, made, NEVER, bytes, count);
      for (let row = this.#lastRow.at(birth); row !== 0; row = this.#rowBefore.at(row - 1)) {
        const at = (row - 1) * PAIR;
        unsorted.push(location, made, this.#freedIn.at(row - 1), this.#freed.at(at), this.#freed.at(at + 1));
      }
    }
    return merged(unsorted);
  }

  #follow({ bytes, count, birth, allocated }: MemoryChanges, from: number, to: number): void {
    const live = this.#live.items;
    const isKnown = this.#isKnown.items;
    const madeIn = this.#births.interval.items;
    const now = this.#now;
    for (let row = from; row < to; row++) {
      const changed = birth[row] as number;
      const at = changed * PAIR;
      live[at] = (live[at] as number) + (bytes[row] as number);
      live[at + 1] = (live[at + 1] as number) + (count[row] as number);
      if (allocated[row] === 1) {
        if (isKnown[changed] === 0) {
          isKnown[changed] = 1;
          this.#recent.push(changed);
        }
      } else if (madeIn[changed] !== now) {
        this.#addFreed(changed, now, -(bytes[row] as number), -(count[row] as number));
      }
    }
  }

  #addFreed(birth: number, interval: number, bytes: number, count: number): void {
    const last = this.#lastRow.at(birth);
    if (last !== 0 && this.#freedIn.at(last - 1) === interval) {
      const at = (last - 1) * PAIR;
      const freed = this.#freed.items;
      freed[at] = (freed[at] as number) + bytes;
      freed[at + 1] = (freed[at + 1] as number) + count;
    } else {
      this.#freedIn.push(interval);
      this.#freed.push(bytes);
      this.#freed.push(count);
      this.#rowBefore.push(last);
      this.#lastRow.items[birth] = this.#freedIn.length;
    }
  }

  #endInterval(): void {
    for (const birth of this.#recent) if (this.#isDead(birth)) this.#forget(birth);
    this.#recent = [];
    this.#now++;
  }

  #isDead(birth: number): boolean {
    return this.#live.at(birth * PAIR) === 0 && this.#live.at(birth * PAIR + 1) === 0;
  }

  #forget(birth: number): void {
    this.#isKnown.items[birth] = 0;
    this.#births.release(birth);
  }

  /** Two intervals at a time become one (of the births they have already): some rows are now one, others need not be. */
  #halve(): void {
    const now = this.#now;
    const [freedIn, freed, rowBefore] = [this.#freedIn, this.#freed, this.#rowBefore];
    this.#freedIn = new Uint32Column();
    this.#freed = new Float64Column();
    this.#rowBefore = new Uint32Column();
    this.#now = halved(now, now);
    const recent = new Set(this.#recent);
    for (let birth = 1; birth < this.#isKnown.length; birth++) {
      if (this.#isKnown.at(birth) === 0) continue;
      const rows: number[] = [];
      for (let row = this.#lastRow.at(birth); row !== 0; row = rowBefore.at(row - 1)) rows.push(row - 1);
      this.#lastRow.items[birth] = 0;
      const made = this.#births.interval.at(birth);
      for (const row of rows.reverse()) {
        const half = halved(freedIn.at(row), now);
        if (half !== made) this.#addFreed(birth, half, freed.at(row * PAIR), freed.at(row * PAIR + 1));
      }
      if (this.#lastRow.at(birth) === 0 && this.#isDead(birth) && !recent.has(birth)) this.#forget(birth);
    }
  }
}
