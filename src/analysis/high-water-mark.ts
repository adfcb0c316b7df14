import type { EqualPeaks } from "../capture/capture-source.js";
import { Float64Column } from "../capture/columns.js";
import type { EventBatch } from "../capture/event-batch.js";
import { LiveMemory } from "./live-memory.js";
import type { LocationFigures } from "./location-figures.js";
import type { MemoryChanges } from "./memory-changes.js";

/**
 * What a location has in one row of half a cache line, because it changes together. In doubles: bytes live now, and those
 * live at a peak. In integers, of which two take a double's place: allocations live now, and those live at a peak; the
 * number of that peak.
 */
const LIVE = 0;
const COPIED = 1;
const ROW = 4;
const INTS = 2;
const LIVE_COUNT = 4;
const COPIED_COUNT = 5;
const COPIED_AT = 6;

/**
 * Finds the moment when the live memory was most: the high-water mark, i.e. the first time that the live bytes reached
 * their maximum, and each location's part in it; and what is live now.
 *
 * One pass, so that it works on streams too, and no copy of the world at each new maximum: a batch in which there are
 * new maxima makes the last of them the new peak, and a location is copied to its "at peak" figures when it changes for
 * the first time after a peak. A location that has not changed since the last peak still is what it was then.
 */
export class HighWaterMark implements LocationFigures {
  /** Live bytes now. */
  liveBytes = 0;
  /** Live bytes at the high-water mark. */
  peakBytes = 0;
  /** Allocations seen, mappings included. */
  totalAllocations = 0;
  /** Bytes of all allocations seen. */
  totalBytes = 0;

  readonly #live: LiveMemory;
  /** Added to what is compared with the peak, so that an equal one is more: bytes are whole numbers. */
  readonly #tie: number;
  /** Number of the last peak; 0 is the beginning, when nothing was live. */
  #peak = 0;

  /** A row per location. */
  readonly #figures = new Float64Column();
  /** The same rows as integers. */
  #integers = new Int32Array(this.#figures.items.buffer);

  /** `live`: whose changes it is told by `take`; not needed for `add`. */
  constructor(live = new LiveMemory(), equalPeaks: EqualPeaks = "first") {
    this.#live = live;
    this.#tie = equalPeaks === "last" ? 0.5 : 0;
  }

  get locations(): LocationFigures["locations"] {
    return this.#live.locations;
  }

  /** Takes in the next events; `onSnapshot` is called at each memory snapshot among them, with its index. */
  add(batch: EventBatch, onSnapshot?: (index: number) => void): void {
    this.take(this.#live.follow(batch), onSnapshot);
  }

  /** Takes in what the next events changed; `onSnapshot` is called at each memory snapshot among them, with its index. */
  take(changes: MemoryChanges, onSnapshot?: (index: number) => void): void {
    const { length, snapshotAt } = changes;
    this.#addLocations();
    let peakAt = -1;
    let from = 0;
    for (let snapshot = 0; snapshot < snapshotAt.length; snapshot++) {
      const to = snapshotAt[snapshot] as number;
      peakAt = Math.max(peakAt, this.#sum(changes, from, to));
      onSnapshot?.(snapshot);
      from = to;
    }
    peakAt = Math.max(peakAt, this.#sum(changes, from, length));
    if (peakAt >= 0) {
      // What led there need not be copied: it would be copied again.
      this.#apply(changes, 0, peakAt + 1);
      this.#peak++;
    }
    this.#applyAndCopy(changes, peakAt + 1, length);
  }

  /** Bytes of the location that were live at the high-water mark. */
  peakBytesOf(location: number): number {
    return this.#figures.at(location * ROW + (this.#isCopied(location) ? COPIED : LIVE));
  }

  /** Allocations of the location that were live at the high-water mark. */
  peakCountOf(location: number): number {
    return this.#integer(location, this.#isCopied(location) ? COPIED_COUNT : LIVE_COUNT);
  }

  /** Bytes of the location that are live now. */
  liveBytesOf(location: number): number {
    return this.#figures.at(location * ROW + LIVE);
  }

  /** Allocations of the location that are live now. */
  liveCountOf(location: number): number {
    return this.#integer(location, LIVE_COUNT);
  }

  /** Whether the location has changed since the last peak, and so was copied. */
  #isCopied(location: number): boolean {
    return this.#integer(location, COPIED_AT) === this.#peak;
  }

  #integer(location: number, which: number): number {
    return this.#integers[location * ROW * INTS + which] as number;
  }

  #addLocations(): void {
    const figures = this.#figures;
    const from = figures.length;
    const to = this.#live.locations.length * ROW;
    if (from === to) return;
    while (figures.length < to) figures.push(0);
    this.#integers = new Int32Array(figures.items.buffer);
    // Nothing of them was live at the last peak.
    for (let at = from * INTS + COPIED_AT; at < to * INTS; at += ROW * INTS) this.#integers[at] = this.#peak;
  }

  /** Adds up the changes [from, to); the row that made the last new maximum, or -1. */
  #sum({ bytes, allocated }: MemoryChanges, from: number, to: number): number {
    let live = this.liveBytes;
    let peak = this.peakBytes;
    const tie = this.#tie;
    let allocations = 0;
    let allocatedBytes = 0;
    let peakAt = -1;
    for (let row = from; row < to; row++) {
      const change = bytes[row] as number;
      live += change;
      allocations += allocated[row] as number;
      allocatedBytes += (allocated[row] as number) * change;
      if (live + tie > peak) {
        peak = live;
        peakAt = row;
      }
    }
    this.liveBytes = live;
    this.peakBytes = peak;
    this.totalAllocations += allocations;
    this.totalBytes += allocatedBytes;
    return peakAt;
  }

  #apply({ location, bytes, count }: MemoryChanges, from: number, to: number): void {
    const figures = this.#figures.items;
    const integers = this.#integers;
    for (let row = from; row < to; row++) {
      const at = (location[row] as number) * ROW;
      const counts = at * INTS;
      figures[at + LIVE] = (figures[at + LIVE] as number) + (bytes[row] as number);
      integers[counts + LIVE_COUNT] = (integers[counts + LIVE_COUNT] as number) + (count[row] as number);
    }
  }

  #applyAndCopy({ location, bytes, count }: MemoryChanges, from: number, to: number): void {
    const figures = this.#figures.items;
    const integers = this.#integers;
    const peak = this.#peak;
    for (let row = from; row < to; row++) {
      const at = (location[row] as number) * ROW;
      const counts = at * INTS;
      const liveBytes = figures[at + LIVE] as number;
      const liveCount = integers[counts + LIVE_COUNT] as number;
      if (integers[counts + COPIED_AT] !== peak) {
        figures[at + COPIED] = liveBytes;
        integers[counts + COPIED_COUNT] = liveCount;
        integers[counts + COPIED_AT] = peak;
      }
      figures[at + LIVE] = liveBytes + (bytes[row] as number);
      integers[counts + LIVE_COUNT] = liveCount + (count[row] as number);
    }
  }
}
