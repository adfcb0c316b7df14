import type { AggregateTable } from "./aggregate.js";
import type { EventBatch } from "./event-batch.js";
import type { CaptureHeader } from "./records.js";
import type { CaptureTables } from "./tables.js";

/** How tracking ended, as the capture says. */
export interface CaptureEnd {
  /** Milliseconds since the Unix epoch. */
  readonly endTimeMs: number;
  /** `stop`, `exit`, or `signal`. */
  readonly reason: string;
  /** The signal that ended the process, where that was the reason. */
  readonly signal?: number;
}

/** Which of several moments at which the same most is live is the high-water mark. */
export type EqualPeaks = "first" | "last";

/**
 * One pass over a capture, whatever its format and wherever its bytes come from: the header, then events in their
 * order, in batches, with tables that explain their ids. Analysis sees captures only through this.
 */
export interface CaptureSource {
  readonly header: CaptureHeader;
  /** Grows as the capture is read; holds every id of the batches given so far. */
  readonly tables: CaptureTables;
  /** What an aggregated capture holds in place of allocations and frees; whole once the end was read. */
  readonly aggregate: AggregateTable;
  /** Set once the capture's end was read; stays undefined when the process ended before tracking did. */
  readonly end: CaptureEnd | undefined;
  /** The first unless told; what recorded the capture has its own. */
  readonly equalPeaks?: EqualPeaks;
  /**
   * Fills `batch` with the next events; false when there are none left.
   * @throws CaptureError `CORRUPT` at a record that contradicts the format.
   */
  next(batch: EventBatch): boolean;
  /** Lets go of what the pass holds; harmless when repeated. */
  close(): void;
}
