import { Float64Column } from "../capture/columns.js";
import type { EventBatch } from "../capture/event-batch.js";
import { LiveMemory } from "./live-memory.js";
import type { LocationFigures } from "./location-figures.js";
import type { MemoryChanges } from "./memory-changes.js";

/** Per location, in one column because they change together: bytes and allocations. */
const PAIR = 2;

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
  /** Number of the last peak; 0 is the beginning, when nothing was live. */
  #peak = 0;

  // Per location: what is live now, and what was live at the peak whose number is in #copiedAt.
  readonly #now = new Float64Column();
  readonly #copied = new Float64Column();
  readonly #copiedAt = new Float64Column();

  /** `live`: whose changes it is told by `take`; not needed for `add`. */
  constructor(live = new LiveMemory()) {
    this.#live = live;
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
    return this.#atPeak(location).at(location * PAIR);
  }

  /** Allocations of the location that were live at the high-water mark. */
  peakCountOf(location: number): number {
    return this.#atPeak(location).at(location * PAIR + 1);
  }

  /** Bytes of the location that are live now. */
  liveBytesOf(location: number): number {
    return this.#now.at(location * PAIR);
  }

  /** Allocations of the location that are live now. */
  liveCountOf(location: number): number {
    return this.#now.at(location * PAIR + 1);
  }

  #atPeak(location: number): Float64Column {
    return this.#copiedAt.at(location) === this.#peak ? this.#copied : this.#now;
  }

  #addLocations(): void {
    const { length } = this.#live.locations;
    while (this.#copiedAt.length < length) {
      this.#now.push(0);
      this.#now.push(0);
      this.#copied.push(0);
      this.#copied.push(0);
      // Nothing of it was live at the last peak.
      this.#copiedAt.push(this.#peak);
    }
  }

  /** Adds up the changes [from, to); the row that made the last new maximum, or -1. */
  #sum({ bytes, allocated }: MemoryChanges, from: number, to: number): number {
    let live = this.liveBytes;
    let peak = this.peakBytes;
    let allocations = 0;
    let allocatedBytes = 0;
    let peakAt = -1;
    for (let row = from; row < to; row++) {
      const change = bytes[row] as number;
      live += change;
      allocations += allocated[row] as number;
      allocatedBytes += (allocated[row] as number) * change;
      if (live > peak) {
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
    const now = this.#now.items;
    for (let row = from; row < to; row++) {
      const at = (location[row] as number) * PAIR;
      now[at] = (now[at] as number) + (bytes[row] as number);
      now[at + 1] = (now[at + 1] as number) + (count[row] as number);
    }
  }

  #applyAndCopy({ location, bytes, count }: MemoryChanges, from: number, to: number): void {
    const now = this.#now.items;
    const copied = this.#copied.items;
    const copiedAt = this.#copiedAt.items;
    const peak = this.#peak;
    for (let row = from; row < to; row++) {
      const changed = location[row] as number;
      const at = changed * PAIR;
      if (copiedAt[changed] !== peak) {
        copied[at] = now[at] as number;
        copied[at + 1] = now[at + 1] as number;
        copiedAt[changed] = peak;
      }
      now[at] = (now[at] as number) + (bytes[row] as number);
      now[at + 1] = (now[at + 1] as number) + (count[row] as number);
    }
  }
}
