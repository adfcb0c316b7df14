import type { AllocationRecord } from "../capture/records.js";
import type { CaptureReader } from "./capture-reader.js";

/** A moment of a run: one that has a name, or milliseconds since the start. */
export type Moment = "start" | "peak" | "end" | number;

/**
 * What was live at each of the moments, by location and thread; at the start, nothing.
 * @throws CaptureError as the reader's methods do
 */
export function recordsAt(reader: CaptureReader, moments: readonly Moment[]): Iterable<AllocationRecord>[] {
  const options = { mergeThreads: false };
  const times = moments.filter((moment) => typeof moment === "number");
  const atTimes = times.length > 0 ? reader.getLiveAllocationRecordsAt(times, options) : [];
  return moments.map((moment) => {
    if (moment === "start") return [];
    if (moment === "peak") return reader.getHighWatermarkAllocationRecords(options);
    if (moment === "end") return reader.getLeakedAllocationRecords(options);
    return atTimes.shift() ?? [];
  });
}
