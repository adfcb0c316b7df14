import type { MemorySnapshot } from "../capture/records.js";

/**
 * A capture's memory snapshots, at most `max` of them: when there are more, every second one is dropped and only every
 * second (then fourth, ...) new one is kept, so that a long capture stays small and evenly covered.
 */
export class SnapshotSeries {
  readonly #max: number;
  #snapshots: MemorySnapshot[] = [];
  #stride = 1;
  #seen = 0;
  #last: MemorySnapshot | undefined;
  #highestRss = 0;
  #explained: MemorySnapshot | undefined;

  constructor(max: number) {
    this.#max = Math.max(2, Math.floor(max));
  }

  add(snapshot: MemorySnapshot): void {
    this.#last = snapshot;
    this.#highestRss = Math.max(this.#highestRss, snapshot.rss);
    if (snapshot.resident !== undefined && snapshot.rss > (this.#explained?.rss ?? -1)) this.#explained = snapshot;
    if (this.#seen++ % this.#stride !== 0) return;
    if (this.#snapshots.length === this.#max) {
      this.#snapshots = this.#snapshots.filter((_, index) => index % 2 === 0);
      this.#stride *= 2;
      if ((this.#seen - 1) % this.#stride !== 0) return;
    }
    this.#snapshots.push(snapshot);
  }

  get snapshots(): readonly MemorySnapshot[] {
    return this.#snapshots;
  }

  /** Bytes; of all snapshots, kept or not. */
  get highestRss(): number {
    return this.#highestRss;
  }

  /** Of the snapshots that tell whose the resident pages are, the one with the highest RSS, kept or not. */
  get explained(): MemorySnapshot | undefined {
    return this.#explained;
  }

  /** The last snapshot of the capture, kept or not. */
  get last(): MemorySnapshot | undefined {
    return this.#last;
  }
}
