import { Float64Column, Uint32Column } from "../capture/columns.js";
import { IntervalRecords, NEVER } from "./interval-records.js";
import type { Locations } from "./locations.js";
import type { ChangeReader, MemoryChanges } from "./memory-changes.js";
import { halved } from "./snapshot-intervals.js";

/** Bytes and allocations, in one column. */
const PAIR = 2;
/**
 * What a location has in one column, because it changes together: bytes and allocations live now; those live at a peak;
 * the number of that peak; whether it is in #changed.
 */
const LIVE = 0;
const COPIED = 2;
const COPIED_AT = 4;
const IS_CHANGED = 5;
const ROW = 6;

/**
 * The high-water mark of each interval between memory snapshots, i.e. the first moment in it (its start included) at
 * which the live bytes were most, and each location's part in it: what a temporal flame graph shows of any range of
 * time, as the mark of a range is that of its highest interval.
 *
 * Within an interval as in HighWaterMark. At its end, only the locations that changed in it, or after the last mark, are
 * looked at, and only a part that differs from that in the interval before is kept: the memory that it takes grows with
 * the locations and their changes from mark to mark, not with the events.
 */
export class TemporalHighWaterMarks implements ChangeReader {
  /** Live bytes now. */
  liveBytes = 0;
  readonly #locations: Locations;
  /** The interval that is going on, and the live bytes at its high-water mark. */
  #now = 0;
  #peakBytes = 0;
  /** Of each interval that is over: live bytes at its high-water mark. */
  #marks = new Float64Column(64);
  /** Number of the last moment that was a high-water mark when it came. */
  #peak = 0;

  /** A row per location. */
  readonly #figures = new Float64Column();
  /** Pairs per location: its part in the mark of the interval before. */
  readonly #kept = new Float64Column();
  /** The locations whose part in this interval's mark may be another one. */
  #changed: number[] = [];

  // The changes of the locations' parts from mark to mark, in the order of the intervals.
  #logInterval = new Uint32Column();
  #logLocation = new Uint32Column();
  /** Pairs. */
  #logPart = new Float64Column();

  /** `locations`: those of the LiveMemory whose changes it is told, which keeps intervals. */
  constructor(locations: Locations) {
    this.#locations = locations;
  }

  take(changes: MemoryChanges): void {
    if (changes.intervalsHalved) this.#halve();
    this.#addLocations();
    let from = 0;
    for (let i = 0; i < changes.snapshotAt.length; i++) {
      if (changes.startsInterval[i] !== true) continue;
      const to = changes.snapshotAt[i] as number;
      this.#follow(changes, from, to);
      this.#endInterval();
      from = to;
    }
    this.#follow(changes, from, changes.length);
  }

  /** Live bytes at the high-water mark of each interval, the one that is going on included. */
  get bytesByInterval(): number[] {
    return [...this.#marks.items.subarray(0, this.#now), this.#peakBytes];
  }

  /** Each location's part in the marks, a row for each run of intervals in which it is the same and not nothing. */
  records(): IntervalRecords {
    const order = this.#logByLocation();
    const records = new IntervalRecords();
    let row = 0;
    for (let location = 0; location < this.#count; location++) {
      let [since, bytes, count] = [0, 0, 0];
      const until = (interval: number): void => {
        if (bytes !== 0 || count !== 0) records.push(location, since, interval, bytes, count);
      };
      for (; row < order.length && this.#logLocation.at(order[row] as number) === location; row++) {
        const at = order[row] as number;
        const interval = this.#logInterval.at(at);
        until(interval);
        [since, bytes, count] = [interval, this.#logPart.at(at * PAIR), this.#logPart.at(at * PAIR + 1)];
      }
      const part = this.#partOf(location);
      const [bytesNow, countNow] = [this.#figures.at(part), this.#figures.at(part + 1)];
      if (bytesNow !== bytes || countNow !== count) {
        until(this.#now);
        [since, bytes, count] = [this.#now, bytesNow, countNow];
      }
      until(NEVER);
    }
    return records;
  }

  /** Locations until now. */
  get #count(): number {
    return this.#figures.length / ROW;
  }

  #addLocations(): void {
    for (let count = this.#count; count < this.#locations.length; count++) {
      this.#kept.push(0);
      this.#kept.push(0);
      for (let i = 0; i < COPIED_AT; i++) this.#figures.push(0);
      this.#figures.push(this.#peak);
      this.#figures.push(0);
    }
  }

  #follow(changes: MemoryChanges, from: number, to: number): void {
    const peakAt = this.#sum(changes.bytes, from, to);
    if (peakAt >= 0) {
      this.#apply(changes, from, peakAt + 1);
      this.#peak++;
    }
    this.#applyAndCopy(changes, peakAt < 0 ? from : peakAt + 1, to);
  }

  /** Adds up the changes [from, to); the row that made the last new maximum of the interval, or -1. */
  #sum(bytes: Float64Array, from: number, to: number): number {
    let live = this.liveBytes;
    let peak = this.#peakBytes;
    let peakAt = -1;
    for (let row = from; row < to; row++) {
      live += bytes[row] as number;
      if (live > peak) {
        peak = live;
        peakAt = row;
      }
    }
    this.liveBytes = live;
    this.#peakBytes = peak;
    return peakAt;
  }

  /** Of changes until a peak: there is no need to copy what would be copied again. */
  #apply({ location, bytes, count }: MemoryChanges, from: number, to: number): void {
    const figures = this.#figures.items;
    for (let row = from; row < to; row++) {
      const at = (location[row] as number) * ROW;
      if (figures[at + IS_CHANGED] === 0) this.#markChanged(location[row] as number);
      figures[at + LIVE] = (figures[at + LIVE] as number) + (bytes[row] as number);
      figures[at + LIVE + 1] = (figures[at + LIVE + 1] as number) + (count[row] as number);
    }
  }

  #applyAndCopy({ location, bytes, count }: MemoryChanges, from: number, to: number): void {
    const figures = this.#figures.items;
    const peak = this.#peak;
    for (let row = from; row < to; row++) {
      const at = (location[row] as number) * ROW;
      const liveBytes = figures[at + LIVE] as number;
      const liveCount = figures[at + LIVE + 1] as number;
      if (figures[at + IS_CHANGED] === 0) this.#markChanged(location[row] as number);
      if (figures[at + COPIED_AT] !== peak) {
        figures[at + COPIED] = liveBytes;
        figures[at + COPIED + 1] = liveCount;
        figures[at + COPIED_AT] = peak;
      }
      figures[at + LIVE] = liveBytes + (bytes[row] as number);
      figures[at + LIVE + 1] = liveCount + (count[row] as number);
    }
  }

  #markChanged(location: number): void {
    this.#figures.items[location * ROW + IS_CHANGED] = 1;
    this.#changed.push(location);
  }

  /** Where the location's part in the mark of the interval that is going on is. */
  #partOf(location: number): number {
    const row = location * ROW;
    return row + (this.#figures.at(row + COPIED_AT) === this.#peak ? COPIED : LIVE);
  }

  #endInterval(): void {
    const figures = this.#figures.items;
    const kept = this.#kept.items;
    const changedSince: number[] = [];
    for (const location of this.#changed) {
      const part = this.#partOf(location);
      const live = location * ROW + LIVE;
      const at = location * PAIR;
      if (kept[at] !== figures[part] || kept[at + 1] !== figures[part + 1]) {
        kept[at] = figures[part] as number;
        kept[at + 1] = figures[part + 1] as number;
        this.#log(this.#now, location, kept);
      }
      // It has changed since the mark.
      if (figures[live] !== figures[part] || figures[live + 1] !== figures[part + 1]) changedSince.push(location);
      else figures[location * ROW + IS_CHANGED] = 0;
    }
    this.#changed = changedSince;
    this.#marks.push(this.#peakBytes);
    this.#now++;
    this.#peakBytes = this.liveBytes;
    this.#peak++;
  }

  #log(interval: number, location: number, parts: Float64Array): void {
    this.#logInterval.push(interval);
    this.#logLocation.push(location);
    this.#logPart.push(parts[location * PAIR] as number);
    this.#logPart.push(parts[location * PAIR + 1] as number);
  }

  /** Rows of the log, those of one location after the other. */
  #logByLocation(): Uint32Array {
    const { items, length } = this.#logLocation;
    const next = new Uint32Array(this.#count + 1);
    for (let row = 0; row < length; row++) {
      const behind = (items[row] as number) + 1;
      next[behind] = (next[behind] as number) + 1;
    }
    for (let i = 1; i < next.length; i++) next[i] = (next[i] as number) + (next[i - 1] as number);
    const order = new Uint32Array(length);
    for (let row = 0; row < length; row++) {
      const location = items[row] as number;
      const place = next[location] as number;
      next[location] = place + 1;
      order[place] = row;
    }
    return order;
  }

  /** Two intervals at a time become one: its mark is the higher one of theirs, the first of two that are equal. */
  #halve(): void {
    const now = this.#now;
    const marks = this.#marks;
    const [logInterval, logLocation, logPart] = [this.#logInterval, this.#logLocation, this.#logPart];
    this.#marks = new Float64Column(64);
    this.#logInterval = new Uint32Column();
    this.#logLocation = new Uint32Column();
    this.#logPart = new Float64Column();
    const parts = new Float64Array(this.#kept.length);
    const kept = this.#kept.items.fill(0, 0, this.#kept.length);
    const differs = new Set<number>();
    let row = 0;
    for (let interval = 0; interval < now; interval++) {
      for (; row < logInterval.length && logInterval.at(row) === interval; row++) {
        const location = logLocation.at(row);
        parts[location * PAIR] = logPart.at(row * PAIR);
        parts[location * PAIR + 1] = logPart.at(row * PAIR + 1);
        differs.add(location);
      }
      if (interval !== highestOfPair(marks, interval, now)) continue;
      const half = halved(interval, now);
      for (const location of differs) {
        const at = location * PAIR;
        if (kept[at] === parts[at] && kept[at + 1] === parts[at + 1]) continue;
        kept[at] = parts[at] as number;
        kept[at + 1] = parts[at + 1] as number;
        this.#log(half, location, kept);
      }
      differs.clear();
      this.#marks.push(marks.at(interval));
    }
    // These have changed since the mark of the last whole interval.
    for (const location of differs) {
      if (this.#figures.at(location * ROW + IS_CHANGED) === 0) this.#markChanged(location);
    }
    this.#now = halved(now, now);
  }
}

/** Of the interval and the other one that it becomes one with, if any, the one with the higher mark. */
function highestOfPair(marks: Float64Column, interval: number, now: number): number {
  const isFirst = (interval + (now & 1)) % 2 === 0;
  const [first, second] = isFirst ? [interval, interval + 1] : [interval - 1, interval];
  if (first < 0) return second;
  return marks.at(second) > marks.at(first) ? second : first;
}
