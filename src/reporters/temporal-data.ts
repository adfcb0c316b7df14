/**
 * What a flame graph page knows of time, beside what flamegraph-data.ts tells. Intervals are those between memory
 * snapshots, numbered from 0.
 */

/** What weights held over time, sorted by weight. Which rows a range of time counts depends on the view they are of. */
export interface IntervalTable {
  /** Row of the weight table, whose node, thread and kind these are. */
  readonly weight: Uint32Array;
  /** First interval. */
  readonly from: Uint32Array;
  /** First interval behind the last one; the number of intervals where it goes on to the end. */
  readonly until: Uint32Array;
  /** Can be negative: the sums are those of what is left. */
  readonly bytes: Float64Array;
  readonly allocations: Float64Array;
}

/** What a range of time can be asked: what was held when memory was most in it, or what was allocated and not freed. */
export type TemporalView = "high-water-mark" | "leaks";

export interface TemporalTables {
  /** Milliseconds; where each interval ends, but the last one, which has no snapshot at its end. */
  readonly endMs: Float64Array;
  /** Live bytes at the high-water mark of each interval. Empty without that view. */
  readonly marks: Float64Array;
  /** Rows that are counted where the interval of the range's highest mark is in [from, until). */
  readonly highWaterMark?: IntervalTable;
  /** Rows that are counted where `from` is in the range and `until` behind it. */
  readonly leaks?: IntervalTable;
}
