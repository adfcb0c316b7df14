import { Float64Column } from "../capture/columns.js";
import { AllocatorType } from "../capture/wire.js";
import type { Locations } from "./locations.js";
import type { ChangeReader, MemoryChanges } from "./memory-changes.js";

/** Per location, in one column because they change together: bytes and allocations. */
const PAIR = 2;

/**
 * Temporary allocations, by location: freed, by the thread that made them, after at most `threshold` other allocations of
 * that thread. A range counts where it is freed as a whole and at once.
 */
export class TemporaryAllocations implements ChangeReader {
  readonly #locations: Locations;
  readonly #threshold: number;
  readonly #byLocation = new Float64Column();
  /** By thread: its last allocations. */
  readonly #recent: RecentAllocations[] = [];

  /** `locations`: those of the LiveMemory whose changes it is told. `threshold`: memray's default is 1. */
  constructor(locations: Locations, threshold = 1) {
    this.#locations = locations;
    this.#threshold = threshold;
  }

  take(changes: MemoryChanges): void {
    while (this.#byLocation.length < this.#locations.length * PAIR) this.#byLocation.push(0);
    const byLocation = this.#byLocation.items;
    const { event, location, bytes, count, allocated, length } = changes;
    const { kind, thread, address, size: sizeOf } = changes.batch;
    const threadOf = this.#locations.thread.items;
    for (let row = 0; row < length; row++) {
      const at = event[row] as number;
      if (allocated[row] === 1) {
        this.#recentOf(thread[at] as number).push(address[at] as number, bytes[row] as number);
      } else if (count[row] === -1) {
        const freedBy = thread[at] as number;
        const size = -(bytes[row] as number);
        // An event that frees and is an allocation itself found out about a free that was not seen.
        if (kind[at] !== AllocatorType.FREE && !(kind[at] === AllocatorType.MUNMAP && sizeOf[at] === size)) continue;
        if (threadOf[location[row] as number] !== freedBy) continue;
        if (!this.#recentOf(freedBy).has(address[at] as number, size)) continue;
        const pair = (location[row] as number) * PAIR;
        byLocation[pair] = (byLocation[pair] as number) + size;
        byLocation[pair + 1] = (byLocation[pair + 1] as number) + 1;
      }
    }
  }

  /** Bytes of the location's temporary allocations. */
  bytesOf(location: number): number {
    return this.#byLocation.at(location * PAIR);
  }

  /** The location's temporary allocations. */
  countOf(location: number): number {
    return this.#byLocation.at(location * PAIR + 1);
  }

  #recentOf(thread: number): RecentAllocations {
    let recent = this.#recent[thread];
    if (recent === undefined) {
      const length = this.#threshold + 1;
      recent = length <= FEW ? new FewAllocations(length) : new ManyAllocations(length);
      this.#recent[thread] = recent;
    }
    return recent;
  }
}

/** A thread's last allocations: as many as there may be until one is not temporary any more. */
interface RecentAllocations {
  push(address: number, size: number): void;
  has(address: number, size: number): boolean;
}

/** So few that looking through them costs less than a look-up. */
const FEW = 16;

class FewAllocations implements RecentAllocations {
  readonly #address: Float64Array;
  readonly #size: Float64Array;
  #next = 0;

  constructor(length: number) {
    this.#address = new Float64Array(length).fill(-1);
    this.#size = new Float64Array(length);
  }

  push(address: number, size: number): void {
    this.#address[this.#next] = address;
    this.#size[this.#next] = size;
    if (++this.#next === this.#address.length) this.#next = 0;
  }

  has(address: number, size: number): boolean {
    for (let i = 0; i < this.#address.length; i++) {
      if (this.#address[i] === address && this.#size[i] === size) return true;
    }
    return false;
  }
}

/** Memory follows the distinct addresses, however many there may be. */
class ManyAllocations implements RecentAllocations {
  readonly #length: number;
  /** By address, the oldest first: the last allocation there. */
  readonly #last = new Map<number, { readonly number: number; readonly size: number }>();
  #number = 0;

  constructor(length: number) {
    this.#length = length;
  }

  push(address: number, size: number): void {
    this.#last.delete(address);
    this.#last.set(address, { number: this.#number++, size });
    if (this.#last.size <= this.#length) return;
    for (const oldest of this.#last.keys()) {
      this.#last.delete(oldest);
      break;
    }
  }

  has(address: number, size: number): boolean {
    const last = this.#last.get(address);
    return last !== undefined && last.size === size && this.#number - last.number <= this.#length;
  }
}
