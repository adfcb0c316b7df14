import type { MemorySnapshot } from "../capture/records.js";
import type { ChangeReader, MemoryChanges } from "./memory-changes.js";
import { halved } from "./snapshot-intervals.js";

/** The memory snapshots between the intervals: that of index i ends the interval i. */
export class IntervalSnapshots implements ChangeReader {
  snapshots: MemorySnapshot[] = [];
  #liveBytes = 0;

  take(changes: MemoryChanges): void {
    if (changes.intervalsHalved) {
      const { length } = this.snapshots;
      // Those remain that end an interval still.
      this.snapshots = this.snapshots.filter((_, i) => halved(i, length) !== halved(i + 1, length));
    }
    const { bytes, snapshotAt, startsInterval, batch } = changes;
    let row = 0;
    for (let i = 0; i < snapshotAt.length; i++) {
      for (; row < (snapshotAt[i] as number); row++) this.#liveBytes += bytes[row] as number;
      const snapshot = batch.snapshots[i];
      if (snapshot === undefined || startsInterval[i] !== true) continue;
      this.snapshots.push({ ...snapshot, tracked: this.#liveBytes });
    }
    for (; row < changes.length; row++) this.#liveBytes += bytes[row] as number;
  }
}
