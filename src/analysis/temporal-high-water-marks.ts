import type { EqualPeaks } from "../capture/capture-source.js";
import { Float64Column, Uint32Column } from "../capture/columns.js";
import { IntervalRecords, NEVER } from "./interval-records.js";
import type { Locations } from "./locations.js";
import type { ChangeReader, MemoryChanges } from "./memory-changes.js";
import { halved } from "./snapshot-intervals.js";

/** Bytes and allocations, in one column. */
const PAIR = 2;
/**
 * What a location has in one row of half a cache line, because it changes together. In doubles: bytes live now, and those
 * live at a peak. In integers, of which two take a double's place: allocations live now, and those live at a peak; the
 * number of that peak; whether it is in #changed.
 */
const LIVE = 0;
const COPIED = 1;
const ROW = 4;
const INTS = 2;
const LIVE_COUNT = 4;
const COPIED_COUNT = 5;
const COPIED_AT = 6;
const IS_CHANGED = 7;

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
  /** Added to what is compared with the peak, so that an equal one is more: bytes are whole numbers. */
  readonly #tie: number;
  /** The interval that is going on, and the live bytes at its high-water mark. */
  #now = 0;
  #peakBytes = 0;
  /** Of each interval that is over: live bytes at its high-water mark. */
  #marks = new Float64Column(64);
  /** Number of the last moment that was a high-water mark when it came. */
  #peak = 0;

  /** A row per location. */
  readonly #figures = new Float64Column();
  /** The same rows as integers. */
  #integers = new Int32Array(this.#figures.items.buffer);
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
  constructor(locations: Locations, equalPeaks: EqualPeaks = "first") {
    this.#locations = locations;
    this.#tie = equalPeaks === "last" ? 0.5 : 0;
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
      const isCopied = this.#isCopied(location);
      const bytesNow = this.#figures.at(location * ROW + (isCopied ? COPIED : LIVE));
      const countNow = this.#integer(location, isCopied ? COPIED_COUNT : LIVE_COUNT);
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
    const figures = this.#figures;
    const from = figures.length;
    const to = this.#locations.length * ROW;
    if (from === to) return;
    while (figures.length < to) figures.push(0);
    while (this.#kept.length < this.#locations.length * PAIR) this.#kept.push(0);
    this.#integers = new Int32Array(figures.items.buffer);
    for (let at = from * INTS + COPIED_AT; at < to * INTS; at += ROW * INTS) this.#integers[at] = this.#peak;
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
    const tie = this.#tie;
    let peakAt = -1;
    for (let row = from; row < to; row++) {
      live += bytes[row] as number;
      if (live + tie > peak) {
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
    const integers = this.#integers;
    for (let row = from; row < to; row++) {
      const at = (location[row] as number) * ROW;
      const counts = at * INTS;
      if (integers[counts + IS_CHANGED] === 0) this.#markChanged(location[row] as number);
      figures[at + LIVE] = (figures[at + LIVE] as number) + (bytes[row] as number);
      integers[counts + LIVE_COUNT] = (integers[counts + LIVE_COUNT] as number) + (count[row] as number);
    }
  }

  #applyAndCopy({ location, bytes, count }: MemoryChanges, from: number, to: number): void {
    const figures = this.#figures.items;
    const integers = this.#integers;
    const peak = this.#peak;
    for (let row = from; row < to; row++) {
      const at = (location[row] as number) * ROW;
      const counts = at * INTS;
      const liveBytes = figures[at + LIVE] as number;
      const liveCount = integers[counts + LIVE_COUNT] as number;
      if (integers[counts + IS_CHANGED] === 0) this.#markChanged(location[row] as number);
      if (integers[counts + COPIED_AT] !== peak) {
        figures[at + COPIED] = liveBytes;
        integers[counts + COPIED_COUNT] = liveCount;
        integers[counts + COPIED_AT] = peak;
      }
      figures[at + LIVE] = liveBytes + (bytes[row] as number);
      integers[counts + LIVE_COUNT] = liveCount + (count[row] as number);
    }
  }

  #markChanged(location: number): void {
    this.#integers[location * ROW * INTS + IS_CHANGED] = 1;
    this.#changed.push(location);
  }

  /** Whether the location has changed since the last mark, and so was copied. */
  #isCopied(location: number): boolean {
    return this.#integer(location, COPIED_AT) === this.#peak;
  }

  #integer(location: number, which: number): number {
    return this.#integers[location * ROW * INTS + which] as number;
  }

  #endInterval(): void {
    const figures = this.#figures.items;
    const integers = this.#integers;
    const kept = this.#kept.items;
    const peak = this.#peak;
    const changedSince: number[] = [];
    for (const location of this.#changed) {
      const row = location * ROW;
      const counts = row * INTS;
      const isCopied = integers[counts + COPIED_AT] === peak;
      const bytes = figures[row + (isCopied ? COPIED : LIVE)] as number;
      const count = integers[counts + (isCopied ? COPIED_COUNT : LIVE_COUNT)] as number;
      const at = location * PAIR;
      if (kept[at] !== bytes || kept[at + 1] !== count) {
        kept[at] = bytes;
        kept[at + 1] = count;
        this.#log(this.#now, location, kept);
      }
      // It has changed since the mark.
      if (figures[row + LIVE] !== bytes || integers[counts + LIVE_COUNT] !== count) changedSince.push(location);
      else integers[counts + IS_CHANGED] = 0;
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
      if (this.#integer(location, IS_CHANGED) === 0) this.#markChanged(location);
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
