import { placeOf } from "./allocation-record.js";
import { IntervalRecords, merged, NEVER } from "./interval-records.js";
import type { LocationFigures } from "./location-figures.js";

type Locations = LocationFigures["locations"];

/** Of AllocationLifetimes, without regard to threads: all rows of a stack and allocator are those of its first location. */
export function mergedLifetimes(records: IntervalRecords, locations: Locations): IntervalRecords {
  const first = firstOfPlace(records, locations);
  const moved = new IntervalRecords();
  for (let row = 0; row < records.length; row++) copy(records, row, first(records.location.at(row)), moved);
  return merged(moved);
}

/** Of TemporalHighWaterMarks, without regard to threads: what several held in an interval is added up. */
export function mergedMarks(records: IntervalRecords, locations: Locations): IntervalRecords {
  const first = firstOfPlace(records, locations);
  const rowsOf = new Map<number, number[]>();
  for (let row = 0; row < records.length; row++) {
    const location = first(records.location.at(row));
    const rows = rowsOf.get(location);
    if (rows === undefined) rowsOf.set(location, [row]);
    else rows.push(row);
  }
  const result = new IntervalRecords();
  for (const [location, rows] of rowsOf) {
    const isOne = rows.every((row) => records.location.at(row) === location);
    if (isOne) for (const row of rows) copy(records, row, location, result);
    else addUp(records, rows, location, result);
  }
  return result;
}

/** Rows that overlap become rows that do not. */
function addUp(records: IntervalRecords, rows: readonly number[], location: number, into: IntervalRecords): void {
  const changes: { at: number; bytes: number; count: number }[] = [];
  for (const row of rows) {
    const [bytes, count] = [records.bytes.at(row), records.count.at(row)];
    changes.push({ at: records.allocatedBefore.at(row), bytes, count });
    const end = records.deallocatedBefore.at(row);
    if (end !== NEVER) changes.push({ at: end, bytes: -bytes, count: -count });
  }
  changes.sort((a, b) => a.at - b.at);
  let [since, bytes, count] = [0, 0, 0];
  for (let i = 0; i < changes.length; ) {
    const { at } = changes[i] as { at: number };
    let [nextBytes, nextCount] = [bytes, count];
    for (; i < changes.length && changes[i]?.at === at; i++) {
      nextBytes += changes[i]?.bytes ?? 0;
      nextCount += changes[i]?.count ?? 0;
    }
    if (nextBytes === bytes && nextCount === count) continue;
    if (bytes !== 0 || count !== 0) into.push(location, since, at, bytes, count);
    [since, bytes, count] = [at, nextBytes, nextCount];
  }
  if (bytes !== 0 || count !== 0) into.push(location, since, NEVER, bytes, count);
}

/** Tells the first of the locations that have rows and the same stack and allocator. */
function firstOfPlace(records: IntervalRecords, locations: Locations): (location: number) => number {
  const byPlace = new Map<number, number>();
  for (let row = 0; row < records.length; row++) {
    const location = records.location.at(row);
    const place = placeOf(locations, location);
    if (!byPlace.has(place)) byPlace.set(place, location);
  }
  return (location) => byPlace.get(placeOf(locations, location)) ?? location;
}

function copy(from: IntervalRecords, row: number, location: number, into: IntervalRecords): void {
  const [made, freed] = [from.allocatedBefore.at(row), from.deallocatedBefore.at(row)];
  into.push(location, made, freed, from.bytes.at(row), from.count.at(row));
}
