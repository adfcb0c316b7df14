import { Float64Column } from "../capture/columns.js";
import { type EventBatch, SNAPSHOT_EVENT } from "../capture/event-batch.js";
import { AllocatorType } from "../capture/wire.js";
import { LiveBlocks } from "./live-blocks.js";
import { LiveRanges, type RangeObserver } from "./live-ranges.js";
import type { LocationFigures } from "./location-figures.js";
import { Locations } from "./locations.js";

/**
 * Follows what is live, and finds the moment when it was most: the high-water mark, i.e. the first time that the live
 * bytes reached their maximum, and each location's part in it.
 *
 * One pass, so that it works on streams too, and no copy of the world at each new maximum: every new maximum starts a
 * new peak, and a location is copied to its "at peak" columns when it changes for the first time after a peak. A
 * location that has not changed since the last peak still is what it was then.
 */
export class HighWaterMark implements LocationFigures, RangeObserver {
  readonly locations = new Locations();
  /** Live bytes now. */
  liveBytes = 0;
  /** Live bytes at the high-water mark. */
  peakBytes = 0;
  /** Allocations seen, mappings included. */
  totalAllocations = 0;
  /** Bytes of all allocations seen. */
  totalBytes = 0;

  readonly #blocks = new LiveBlocks();
  readonly #ranges = new LiveRanges();
  /** Number of the last peak; 0 is the beginning, when nothing was live. */
  #peak = 0;

  // Per location: what is live now, and what was live at the peak whose number is in #copiedAt.
  readonly #liveBytes = new Float64Column();
  readonly #liveCount = new Float64Column();
  readonly #copiedBytes = new Float64Column();
  readonly #copiedCount = new Float64Column();
  readonly #copiedAt = new Float64Column();

  /** Takes in the next events; `onSnapshot` is called at each memory snapshot among them, with its index. */
  add(batch: EventBatch, onSnapshot?: (index: number) => void): void {
    const { kind, thread, node, size, address, length } = batch;
    const blocks = this.#blocks;
    const locations = this.locations;
    for (let i = 0; i < length; i++) {
      const allocator = kind[i] as number;
      if (allocator === AllocatorType.FREE) {
        const location = blocks.remove(address[i] as number);
        if (location >= 0) this.#change(location, -blocks.foundSize, -1);
        continue;
      }
      if (allocator === AllocatorType.MUNMAP) {
        this.#ranges.remove(address[i] as number, size[i] as number, this);
        continue;
      }
      if (allocator === SNAPSHOT_EVENT) {
        onSnapshot?.(address[i] as number);
        continue;
      }
      const bytes = size[i] as number;
      const location = locations.indexOf(thread[i] as number, node[i] as number, allocator);
      if (location === this.#liveBytes.length) this.#addLocation();
      this.totalAllocations++;
      this.totalBytes += bytes;
      if (allocator === AllocatorType.MMAP || allocator === AllocatorType.HEAP_PAGES) {
        this.#ranges.add(address[i] as number, bytes, location, this);
        if (bytes > 0) this.#change(location, bytes, 1);
      } else {
        const replaced = blocks.add(address[i] as number, bytes, location);
        if (replaced >= 0) this.#change(replaced, -blocks.foundSize, -1);
        this.#change(location, bytes, 1);
      }
    }
  }

  /** @internal */
  rangeRemoved(location: number, bytes: number, pieces: number): void {
    this.#change(location, -bytes, pieces);
  }

  /** Bytes of the location that were live at the high-water mark. */
  peakBytesOf(location: number): number {
    return (this.#copiedAt.at(location) === this.#peak ? this.#copiedBytes : this.#liveBytes).at(location);
  }

  /** Allocations of the location that were live at the high-water mark. */
  peakCountOf(location: number): number {
    return (this.#copiedAt.at(location) === this.#peak ? this.#copiedCount : this.#liveCount).at(location);
  }

  /** Bytes of the location that are live now. */
  liveBytesOf(location: number): number {
    return this.#liveBytes.at(location);
  }

  /** Allocations of the location that are live now. */
  liveCountOf(location: number): number {
    return this.#liveCount.at(location);
  }

  #addLocation(): void {
    this.#liveBytes.push(0);
    this.#liveCount.push(0);
    this.#copiedBytes.push(0);
    this.#copiedCount.push(0);
    // Nothing of it was live at the last peak.
    this.#copiedAt.push(this.#peak);
  }

  #change(location: number, bytes: number, count: number): void {
    const liveBytes = this.#liveBytes.items;
    const liveCount = this.#liveCount.items;
    if (this.#copiedAt.items[location] !== this.#peak) {
      this.#copiedBytes.items[location] = liveBytes[location] as number;
      this.#copiedCount.items[location] = liveCount[location] as number;
      this.#copiedAt.items[location] = this.#peak;
    }
    liveBytes[location] = (liveBytes[location] as number) + bytes;
    liveCount[location] = (liveCount[location] as number) + count;
    this.liveBytes += bytes;
    if (this.liveBytes > this.peakBytes) {
      this.peakBytes = this.liveBytes;
      this.#peak++;
    }
  }
}
