import { Float64Column } from "../capture/columns.js";
import type { Locations } from "./locations.js";
import type { ChangeReader, MemoryChanges } from "./memory-changes.js";

/** Per location, in one column because they change together: bytes and allocations. */
const PAIR = 2;
/** Smaller sizes are counted in a column, others in a map. */
const SMALL_SIZES = 16 * 1024;

/** What was allocated in all, freed or not: by location, by allocator and by size. */
export class AllocationStatistics implements ChangeReader {
  /** Allocations made, mappings included. */
  totalAllocations = 0;
  /** Bytes of all of them. */
  totalBytes = 0;
  readonly #locations: Locations;
  readonly #byLocation = new Float64Column();
  readonly #bySmallSize = new Float64Array(SMALL_SIZES);
  readonly #byLargeSize = new Map<number, number>();

  /** `locations`: those of the LiveMemory whose changes it is told. */
  constructor(locations: Locations) {
    this.#locations = locations;
  }

  take({ location, bytes, allocated, length }: MemoryChanges): void {
    while (this.#byLocation.length < this.#locations.length * PAIR) this.#byLocation.push(0);
    const byLocation = this.#byLocation.items;
    const bySmallSize = this.#bySmallSize;
    let allocations = 0;
    let allocatedBytes = 0;
    for (let row = 0; row < length; row++) {
      if (allocated[row] === 0) continue;
      const size = bytes[row] as number;
      const at = (location[row] as number) * PAIR;
      byLocation[at] = (byLocation[at] as number) + size;
      byLocation[at + 1] = (byLocation[at + 1] as number) + 1;
      allocations++;
      allocatedBytes += size;
      if (size < SMALL_SIZES) bySmallSize[size] = (bySmallSize[size] as number) + 1;
      else this.#byLargeSize.set(size, (this.#byLargeSize.get(size) ?? 0) + 1);
    }
    this.totalAllocations += allocations;
    this.totalBytes += allocatedBytes;
  }

  /** Bytes that the location allocated. */
  bytesOf(location: number): number {
    return this.#byLocation.at(location * PAIR);
  }

  /** Allocations that the location made. */
  countOf(location: number): number {
    return this.#byLocation.at(location * PAIR + 1);
  }

  /** Allocations by allocator, the most first. */
  countByAllocator(): Map<number, number> {
    const counts = new Map<number, number>();
    for (let location = 0; location < this.#locations.length; location++) {
      const allocator = this.#locations.allocator.at(location);
      counts.set(allocator, (counts.get(allocator) ?? 0) + this.countOf(location));
    }
    return new Map([...counts].sort(([, a], [, b]) => b - a));
  }

  /** Allocations by requested bytes, in the order of these. */
  countBySize(): Map<number, number> {
    const counts = new Map<number, number>();
    for (let size = 0; size < SMALL_SIZES; size++) {
      const count = this.#bySmallSize[size] as number;
      if (count > 0) counts.set(size, count);
    }
    for (const [size, count] of [...this.#byLargeSize].sort(([a], [b]) => a - b)) counts.set(size, count);
    return counts;
  }
}
