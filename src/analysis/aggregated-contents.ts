import type { AggregateTable } from "../capture/aggregate.js";
import type { CaptureSource } from "../capture/capture-source.js";
import { CaptureError } from "../capture/errors.js";
import { EventBatch } from "../capture/event-batch.js";
import type { MemorySnapshot } from "../capture/records.js";
import type { CaptureContents } from "./capture-contents.js";
import type { LocationFigures } from "./location-figures.js";

/** AGGREGATED_ALLOCATIONS: the tracked process added the figures up, and wrote them when tracking ended. */
export class AggregatedContents implements CaptureContents {
  readonly #name: string;

  /** `name` is what messages call the capture. */
  constructor(name: string) {
    this.#name = name;
  }

  read(source: CaptureSource, onSnapshot: (snapshot: MemorySnapshot) => void): () => LocationFigures {
    const batch = new EventBatch();
    while (source.next(batch)) {
      if (batch.snapshots.length < batch.length) throw this.#holdsRecords();
      for (const snapshot of batch.snapshots) onSnapshot({ ...snapshot, tracked: snapshot.tracked ?? 0 });
    }
    const { aggregate, end } = source;
    return () => {
      const { totals } = aggregate;
      if (end === undefined || totals === undefined) throw this.#noData();
      return new AggregatedFigures(aggregate, totals.allocations, totals.bytes);
    };
  }

  checkSingleRecords(): void {
    throw new CaptureError(
      "AGGREGATED",
      this.#name,
      `${this.#name} is an aggregated capture, which keeps no single allocations; ` +
        "record with FileFormat.ALL_ALLOCATIONS (heapray run without --aggregate) to see them.",
    );
  }

  #noData(): CaptureError {
    return new CaptureError(
      "NO_DATA",
      this.#name,
      `${this.#name} has no data: the process ended before tracking did, ` +
        "and an aggregated capture is written when tracking ends.",
    );
  }

  #holdsRecords(): CaptureError {
    return new CaptureError(
      "CORRUPT",
      this.#name,
      `${this.#name} is damaged: its header says that it is aggregated, and it holds single allocations. Record it again.`,
    );
  }
}

class AggregatedFigures implements LocationFigures {
  readonly locations: AggregateTable;
  readonly peakBytes: number;
  readonly totalAllocations: number;
  readonly totalBytes: number;

  constructor(aggregate: AggregateTable, totalAllocations: number, totalBytes: number) {
    this.locations = aggregate;
    this.totalAllocations = totalAllocations;
    this.totalBytes = totalBytes;
    let peakBytes = 0;
    for (let location = 0; location < aggregate.length; location++) peakBytes += aggregate.peakBytes.at(location);
    this.peakBytes = peakBytes;
  }

  peakBytesOf(location: number): number {
    return this.locations.peakBytes.at(location);
  }

  peakCountOf(location: number): number {
    return this.locations.peakCount.at(location);
  }

  liveBytesOf(location: number): number {
    return this.locations.liveBytes.at(location);
  }

  liveCountOf(location: number): number {
    return this.locations.liveCount.at(location);
  }
}
