/** What ranges of time held. Free of node and DOM, so that the reporter and the page share it. */
import type { IntervalTable, TemporalTables, TemporalView } from "./temporal-data.js";

/** Intervals, the last one included. */
export interface TimeRange {
  readonly first: number;
  readonly last: number;
}

/** Of each weight. */
export interface Amounts {
  readonly bytes: Float64Array;
  readonly allocations: Float64Array;
}

/** The first interval of the range whose high-water mark is the range's. */
export function highestInterval(marks: Float64Array, { first, last }: TimeRange): number {
  let highest = first;
  for (let i = first + 1; i <= last; i++) {
    if ((marks[i] as number) > (marks[highest] as number)) highest = i;
  }
  return highest;
}

/** What each weight held when memory was most in the range, or allocated in it and did not free in it. */
export function amountsIn(tables: TemporalTables, view: TemporalView, range: TimeRange, weights: number): Amounts {
  const amounts: Amounts = { bytes: new Float64Array(weights), allocations: new Float64Array(weights) };
  if (view === "leaks") {
    if (tables.leaks) addUp(tables.leaks, range.first, range.last, range.last, amounts);
  } else if (tables.highWaterMark) {
    const highest = highestInterval(tables.marks, range);
    addUp(tables.highWaterMark, 0, highest, highest, amounts);
  }
  return amounts;
}

/** Rows that begin in [first, last] and end behind `behind`. */
function addUp(rows: IntervalTable, first: number, last: number, behind: number, sums: Amounts): void {
  const { weight, from, until, bytes, allocations } = rows;
  for (let row = 0; row < weight.length; row++) {
    const since = from[row] as number;
    if (since < first || since > last || (until[row] as number) <= behind) continue;
    const at = weight[row] as number;
    sums.bytes[at] = (sums.bytes[at] as number) + (bytes[row] as number);
    sums.allocations[at] = (sums.allocations[at] as number) + (allocations[row] as number);
  }
}
