import type { CaptureSource } from "../capture/capture-source.js";
import { Float64Column } from "../capture/columns.js";
import { EventBatch, SNAPSHOT_EVENT } from "../capture/event-batch.js";
import { AllocatorType } from "../capture/wire.js";
import type { LocationSums } from "./location-figures.js";
import { Locations } from "./locations.js";

/** Per location, in one column because they change together: bytes and allocations. */
const PAIR = 2;

/** What each location allocated in all, freed or not. What is live is not followed, which makes it a quick pass. */
export class AllocationTotals implements LocationSums {
  readonly locations = new Locations();
  readonly #byLocation = new Float64Column();

  /**
   * Reads `source` to its end.
   * @throws CaptureError `CORRUPT`
   */
  read(source: CaptureSource): void {
    const batch = new EventBatch();
    while (source.next(batch)) this.#add(batch);
  }

  bytesOf(location: number): number {
    return this.#byLocation.at(location * PAIR);
  }

  countOf(location: number): number {
    return this.#byLocation.at(location * PAIR + 1);
  }

  #add({ kind, thread, node, size, length }: EventBatch): void {
    const sums = this.#byLocation;
    for (let i = 0; i < length; i++) {
      const allocator = kind[i] as number;
      if (allocator === AllocatorType.FREE || allocator === AllocatorType.MUNMAP || allocator === SNAPSHOT_EVENT) {
        continue;
      }
      const at = PAIR * this.locations.indexOf(thread[i] as number, node[i] as number, allocator);
      while (sums.length < at + PAIR) sums.push(0);
      sums.items[at] = sums.at(at) + (size[i] as number);
      sums.items[at + 1] = sums.at(at + 1) + 1;
    }
  }
}
