import { Float64Column, Uint32Column } from "../capture/columns.js";

/** In place of a snapshot's number: not until the end. */
export const NEVER = 0xffff_ffff;

/**
 * What locations held over time, in columns. A row says that a location held so many bytes in so many allocations from
 * one interval between memory snapshots on, until another. The interval i is the one before the snapshot i.
 *
 * What a row means, and with it what may be asked, depends on where the rows are from: TemporalHighWaterMarks
 * (`heldInInterval`) or AllocationLifetimes (`leakedInRange`).
 */
export class IntervalRecords {
  /** Rows of one location follow each other. */
  readonly location = new Uint32Column();
  /** memray's `allocated_before_snapshot`: the first interval of the row. */
  readonly allocatedBefore = new Uint32Column();
  /** memray's `deallocated_before_snapshot`: the first interval behind those of the row, or NEVER. */
  readonly deallocatedBefore = new Uint32Column();
  readonly bytes = new Float64Column();
  readonly count = new Float64Column();

  get length(): number {
    return this.location.length;
  }

  push(location: number, allocatedBefore: number, deallocatedBefore: number, bytes: number, count: number): void {
    this.location.push(location);
    this.allocatedBefore.push(allocatedBefore);
    this.deallocatedBefore.push(deallocatedBefore);
    this.bytes.push(bytes);
    this.count.push(count);
  }
}

/** What a location held. */
export interface Held {
  bytes: number;
  count: number;
}

/** Of TemporalHighWaterMarks: what each location held when the live memory was most in that interval. */
export function heldInInterval(records: IntervalRecords, interval: number): Map<number, Held> {
  return sums(records, (from, to) => from <= interval && to > interval);
}

/** Of AllocationLifetimes: what each location allocated in the intervals [first, last] and did not free in them. */
export function leakedInRange(records: IntervalRecords, first: number, last: number): Map<number, Held> {
  return sums(records, (from, to) => from >= first && from <= last && to > last);
}

/** The same in order, by location and intervals; rows that differ in nothing else are one. */
export function merged(records: IntervalRecords): IntervalRecords {
  const { location, allocatedBefore, deallocatedBefore, bytes, count } = records;
  const order = Uint32Array.from({ length: records.length }, (_, row) => row).sort(
    (a, b) =>
      location.at(a) - location.at(b) ||
      allocatedBefore.at(a) - allocatedBefore.at(b) ||
      deallocatedBefore.at(a) - deallocatedBefore.at(b),
  );
  const result = new IntervalRecords();
  for (const row of order) {
    const [where, from, to] = [location.at(row), allocatedBefore.at(row), deallocatedBefore.at(row)];
    const last = result.length - 1;
    if (
      last >= 0 &&
      result.location.at(last) === where &&
      result.allocatedBefore.at(last) === from &&
      result.deallocatedBefore.at(last) === to
    ) {
      result.bytes.items[last] = result.bytes.at(last) + bytes.at(row);
      result.count.items[last] = result.count.at(last) + count.at(row);
    } else {
      result.push(where, from, to, bytes.at(row), count.at(row));
    }
  }
  return result;
}

function sums(records: IntervalRecords, counts: (from: number, to: number) => boolean): Map<number, Held> {
  const held = new Map<number, Held>();
  for (let row = 0; row < records.length; row++) {
    if (!counts(records.allocatedBefore.at(row), records.deallocatedBefore.at(row))) continue;
    const location = records.location.at(row);
    const sum = held.get(location) ?? { bytes: 0, count: 0 };
    sum.bytes += records.bytes.at(row);
    sum.count += records.count.at(row);
    held.set(location, sum);
  }
  return held;
}
