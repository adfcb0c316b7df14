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

/** By the kind of an event: 1 where it is about a block (of the malloc family, or an object), otherwise 0. */
const IS_BLOCK = new Uint8Array(256).fill(1);
for (const kind of [SNAPSHOT_EVENT, AllocatorType.MMAP, AllocatorType.MUNMAP, AllocatorType.HEAP_PAGES]) {
  IS_BLOCK[kind] = 0;
}

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
  /** What the blocks are kept with: their locations, or births where these are kept. */
  readonly #ids = new Uint32Array(STRETCH);
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
    for (let at = 0; at < batch.length; ) {
      const to = endOfStretch(batch, at);
      if (to > at) this.#followBlocks(batch, at, to);
      else if (batch.kind[at] === SNAPSHOT_EVENT) this.#followSnapshot();
      else this.#followRange(batch, at);
      at = Math.max(to, at + 1);
    }
    return changes;
  }

  /** @internal */
  rangeRemoved(id: number, bytes: number, pieces: number): void {
    const changes = this.#changes;
    changes.reserve(changes.length + 1 + this.#rowsBehind);
    const { births } = this;
    if (births === undefined) changes.push(this.#event, id, -bytes, pieces, 0, 0);
    else changes.push(this.#event, births.locationOf(id), -bytes, pieces, 0, id);
  }

  /** Of events that are all about blocks. What each needs is looked up for all of them before. */
  #followBlocks(batch: EventBatch, from: number, to: number): void {
    const ids = this.#ids;
    const changes = this.#changes;
    const { births } = this;
    this.locations.indexesOf(batch, from, to, ids);
    if (births === undefined) {
      this.#blocks.follow(batch, from, to, ids, changes, changes.location);
      return;
    }
    const row = changes.length;
    births.ofMany(batch.kind, from, to, ids, this.#intervals?.now ?? 0);
    this.#blocks.follow(batch, from, to, ids, changes, changes.birth);
    births.locationsOf(changes.birth, row, changes.length, changes.location);
  }

  #followSnapshot(): void {
    const changes = this.#changes;
    changes.snapshotAt.push(changes.length);
    changes.startsInterval.push(this.#intervals?.snapshot() === true);
  }

  #followRange(batch: EventBatch, event: number): void {
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
    const birth = this.births?.of(location, this.#intervals?.now ?? 0) ?? 0;
    this.#ranges.add(address, bytes, this.births === undefined ? location : birth, this);
    this.#changes.push(event, location, bytes, bytes > 0 ? 1 : 0, 1, birth);
  }
}

/** The end of the events from `from` on that are about blocks, at most STRETCH of them. */
function endOfStretch({ kind, length }: EventBatch, from: number): number {
  const most = Math.min(from + STRETCH, length);
  let to = from;
  while (to < most && IS_BLOCK[kind[to] as number] === 1) to++;
  return to;
}
