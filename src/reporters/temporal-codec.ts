/** The columns of the tables over time, which follow those of a flame graph. */
import { differences, sums, type UnpackedColumns } from "./column-codec.js";
import type { IntervalTable, TemporalTables } from "./temporal-data.js";

/** What the header says of them. */
export interface TemporalHeader {
  readonly intervals: number;
  readonly marks: number;
  /** Rows of each view; undefined where it is not there. */
  readonly highWaterMark?: number;
  readonly leaks?: number;
}

export function temporalHeader({ endMs, marks, highWaterMark, leaks }: TemporalTables): TemporalHeader {
  return {
    intervals: endMs.length + 1,
    marks: marks.length,
    ...(highWaterMark && { highWaterMark: highWaterMark.weight.length }),
    ...(leaks && { leaks: leaks.weight.length }),
  };
}

export function temporalColumns(tables: TemporalTables): ArrayLike<number>[] {
  const columns: ArrayLike<number>[] = [differences(tables.endMs), differences(tables.marks)];
  for (const rows of [tables.highWaterMark, tables.leaks]) {
    if (rows === undefined) continue;
    const lengths = rows.until.map((until, row) => until - (rows.from[row] as number));
    columns.push(
      differences(rows.weight),
      differences(rows.from),
      lengths,
      Float64Array.from(rows.bytes, signed),
      Float64Array.from(rows.allocations, signed),
    );
  }
  return columns;
}

/** @throws Error when the columns are not what `temporalColumns` gives */
export function readTemporal(
  header: TemporalHeader,
  weights: number,
  column: UnpackedColumns<never>["next"],
): TemporalTables {
  const { intervals } = header;
  const endMs = sums(column(intervals - 1));
  const marks = sums(column(header.marks));
  const rowsOf = (count: number | undefined): IntervalTable | undefined => {
    if (count === undefined) return undefined;
    const weight = new Uint32Array(sums(column(count)));
    const from = new Uint32Array(sums(column(count)));
    const until = new Uint32Array(column(count)).map((length, row) => length + (from[row] as number));
    const bytes = column(count).map(unsigned);
    const allocations = column(count).map(unsigned);
    if (weight.some((row) => row >= weights) || until.some((interval) => interval > intervals)) {
      throw new Error("the report's intervals are damaged");
    }
    return { weight, from, until, bytes, allocations };
  };
  const highWaterMark = rowsOf(header.highWaterMark);
  const leaks = rowsOf(header.leaks);
  if (marks.length !== (highWaterMark ? intervals : 0)) throw new Error("the report's intervals are damaged");
  return { endMs, marks, ...(highWaterMark && { highWaterMark }), ...(leaks && { leaks }) };
}

/** coded: the sign in the lowest bit. */
function signed(value: number): number {
  return value >= 0 ? value * 2 : -value * 2 - 1;
}

function unsigned(code: number): number {
  return code % 2 === 0 ? code / 2 : -(code + 1) / 2;
}
