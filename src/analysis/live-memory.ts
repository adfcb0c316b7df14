import { type EventBatch, SNAPSHOT_EVENT } from "../capture/event-batch.js";
import { AllocatorType } from "../capture/wire.js";
import { Births } from "./births.js";
import { LiveBlocks } from "./live-blocks.js";
import { LiveRanges, type RangeObserver } from "./live-ranges.js";
import { Locations } from "./locations.js";
import { MemoryChanges } from "./memory-changes.js";
import { SnapshotIntervals } from "./snapshot-intervals.js";

/** Events whose blocks are located together: their slots fit into the cache beside all else. */
const STRETCH = 512;

export interface LiveMemoryOptions {
  /** Intervals between memory snapshots to tell apart, about; they are not kept unless told. */
  readonly maxIntervals?: number;
  /** Whether to keep in which of them allocations were made; for AllocationLifetimes, which sees to it that they go again. */
  readonly births?: boolean;
}

/**
 * Follows which blocks and ranges are live, and tells of each batch of events what it changed, by location. One look-up
 * per event, whatever the number of analyses that read the changes.
 */
export class LiveMemory implements RangeObserver {
  readonly locations = new Locations();
  /** When live allocations were made, where that is kept. */
  readonly births: Births | undefined;
  readonly #intervals: SnapshotIntervals | undefined;
  readonly #blocks = new LiveBlocks();
  readonly #ranges = new LiveRanges();
  readonly #changes = new MemoryChanges();
  /** Where the blocks of a stretch are. */
  readonly #places = new Int32Array(STRETCH);
  /** The event that changes ranges, and the rows that those after it need at most. */
  #event = 0;
  #rowsBehind = 0;

  constructor({ maxIntervals, births = false }: LiveMemoryOptions = {}) {
    if (maxIntervals === undefined) return;
    this.#intervals = new SnapshotIntervals(maxIntervals);
    if (births) this.births = new Births();
  }

  /** Takes in the next events. What it returns is valid until the next call. */
  follow(batch: EventBatch): MemoryChanges {
    const changes = this.#changes;
    // A block that takes the place of one whose free was not seen makes two rows.
    changes.clear(batch, 2 * batch.length);
    const now = this.#intervals?.now ?? 0;
    if (this.#intervals?.halveIfMany() === true) {
      this.births?.halve(now);
      changes.intervalsHalved = true;
    }
    for (let from = 0; from < batch.length; from += STRETCH) {
      const to = Math.min(from + STRETCH, batch.length);
      this.#blocks.locate(batch.address, from, to, this.#places);
      this.#followStretch(batch, from, to);
    }
    return changes;
  }

  /** @internal */
  rangeRemoved(id: number, bytes: number, pieces: number): void {
    const changes = this.#changes;
    changes.reserve(changes.length + 1 + this.#rowsBehind);
    const { births } = this;
    if (births === undefined) changes.push(this.#event, id, -bytes, pieces, 0, 0);
    else changes.push(this.#event, births.location.at(id), -bytes, pieces, 0, id);
  }

  #followStretch(batch: EventBatch, from: number, to: number): void {
    const { kind, thread, node, size, address } = batch;
    const { locations, births } = this;
    const blocks = this.#blocks;
    const places = this.#places;
    const changes = this.#changes;
    let { event: eventOf, location: locationOf, bytes: bytesOf, count: countOf, allocated: allocatedOf } = changes;
    let birthOf = changes.birth;
    let now = this.#intervals?.now ?? 0;
    let row = changes.length;
    for (let i = from; i < to; i++) {
      const allocator = kind[i] as number;
      const place = places[i - from] as number;
      if (allocator === AllocatorType.FREE) {
        const found = blocks.find(place, address[i] as number);
        if (found < 0) continue;
        const id = blocks.locationAt(found);
        eventOf[row] = i;
        locationOf[row] = births === undefined ? id : (births.location.items[id] as number);
        bytesOf[row] = -blocks.sizeAt(found);
        countOf[row] = -1;
        allocatedOf[row] = 0;
        birthOf[row] = births === undefined ? 0 : id;
        row++;
        blocks.free(found);
      } else if (
        allocator !== AllocatorType.MMAP &&
        allocator !== AllocatorType.HEAP_PAGES &&
        allocator !== AllocatorType.MUNMAP &&
        allocator !== SNAPSHOT_EVENT
      ) {
        const bytes = size[i] as number;
        const location = locations.indexOf(thread[i] as number, node[i] as number, allocator);
        const birth = births === undefined ? 0 : births.of(location, now);
        const replaced = blocks.find(place, address[i] as number);
        if (replaced >= 0) {
          const id = blocks.locationAt(replaced);
          eventOf[row] = i;
          locationOf[row] = births === undefined ? id : (births.location.items[id] as number);
          bytesOf[row] = -blocks.sizeAt(replaced);
          countOf[row] = -1;
          allocatedOf[row] = 0;
          birthOf[row] = births === undefined ? 0 : id;
          row++;
          blocks.free(replaced);
        }
        eventOf[row] = i;
        locationOf[row] = location;
        bytesOf[row] = bytes;
        countOf[row] = 1;
        allocatedOf[row] = 1;
        birthOf[row] = birth;
        row++;
        blocks.add(place, address[i] as number, bytes, births === undefined ? location : birth);
      } else {
        changes.length = row;
        if (allocator === SNAPSHOT_EVENT) {
          changes.snapshotAt.push(row);
          changes.startsInterval.push(this.#intervals?.snapshot() === true);
          now = this.#intervals?.now ?? 0;
        } else {
          this.#followRange(batch, i, now);
          ({ event: eventOf, location: locationOf, bytes: bytesOf, count: countOf, allocated: allocatedOf } = changes);
          birthOf = changes.birth;
          row = changes.length;
        }
      }
    }
    changes.length = row;
  }

  #followRange(batch: EventBatch, event: number, now: number): void {
    const allocator = batch.kind[event] as number;
    const address = batch.address[event] as number;
    const bytes = batch.size[event] as number;
    this.#event = event;
    this.#rowsBehind = 1 + 2 * (batch.length - event);
    if (allocator === AllocatorType.MUNMAP) {
      this.#ranges.remove(address, bytes, this);
      return;
    }
    const location = this.locations.indexOf(batch.thread[event] as number, batch.node[event] as number, allocator);
    const birth = this.births?.of(location, now) ?? 0;
    this.#ranges.add(address, bytes, this.births === undefined ? location : birth, this);
    this.#changes.push(event, location, bytes, bytes > 0 ? 1 : 0, 1, birth);
  }
}
