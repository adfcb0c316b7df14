import { Float64Column, Uint32Column } from "../capture/columns.js";
import { IntervalRecords, NEVER } from "./interval-records.js";
import type { Locations } from "./locations.js";
import type { ChangeReader, MemoryChanges } from "./memory-changes.js";
import { halved } from "./snapshot-intervals.js";

/** Per location, in one column because they change together: bytes and allocations. */
const PAIR = 2;

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

  // Per location: what is live now, and what was live at the peak whose number is in #copiedAt.
  readonly #live = new Float64Column();
  readonly #copied = new Float64Column();
  readonly #copiedAt = new Float64Column();
  /** Per location: its part in the mark of the interval before. */
  readonly #kept = new Float64Column();
  /** Per location: whether it is in #changed, the locations whose part in this interval's mark may be another one. */
  readonly #isChanged = new Uint32Column();
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
    for (let location = 0; location < this.#isChanged.length; location++) {
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
      const part = this.#partColumn(location);
      const [bytesNow, countNow] = [part.at(location * PAIR), part.at(location * PAIR + 1)];
      if (bytesNow !== bytes || countNow !== count) {
        until(this.#now);
        [since, bytes, count] = [this.#now, bytesNow, countNow];
      }
      until(NEVER);
    }
    return records;
  }

  #addLocations(): void {
    while (this.#copiedAt.length < this.#locations.length) {
      for (const column of [this.#live, this.#copied, this.#kept]) {
        column.push(0);
        column.push(0);
      }
      this.#copiedAt.push(this.#peak);
      this.#isChanged.push(0);
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
    const live = this.#live.items;
    const isChanged = this.#isChanged.items;
    for (let row = from; row < to; row++) {
      const changed = location[row] as number;
      const at = changed * PAIR;
      if (isChanged[changed] === 0) this.#markChanged(changed);
      live[at] = (live[at] as number) + (bytes[row] as number);
      live[at + 1] = (live[at + 1] as number) + (count[row] as number);
    }
  }

  #applyAndCopy({ location, bytes, count }: MemoryChanges, from: number, to: number): void {
    const live = this.#live.items;
    const copied = this.#copied.items;
    const copiedAt = this.#copiedAt.items;
    const isChanged = this.#isChanged.items;
    const peak = this.#peak;
    for (let row = from; row < to; row++) {
      const changed = location[row] as number;
      const at = changed * PAIR;
      if (isChanged[changed] === 0) this.#markChanged(changed);
      if (copiedAt[changed] !== peak) {
        copied[at] = live[at] as number;
        copied[at + 1] = live[at + 1] as number;
        copiedAt[changed] = peak;
      }
      live[at] = (live[at] as number) + (bytes[row] as number);
      live[at + 1] = (live[at + 1] as number) + (count[row] as number);
    }
  }

  #markChanged(location: number): void {
    this.#isChanged.items[location] = 1;
    this.#changed.push(location);
  }

  /** The column that has the location's part in the mark of the interval that is going on. */
  #partColumn(location: number): Float64Column {
    return this.#copiedAt.at(location) === this.#peak ? this.#copied : this.#live;
  }

  #endInterval(): void {
    const live = this.#live.items;
    const kept = this.#kept.items;
    const changedSince: number[] = [];
    for (const location of this.#changed) {
      const part = this.#partColumn(location).items;
      const at = location * PAIR;
      if (kept[at] !== part[at] || kept[at + 1] !== part[at + 1]) {
        kept[at] = part[at] as number;
        kept[at + 1] = part[at + 1] as number;
        this.#log(this.#now, location, kept);
      }
      // It has changed since the mark.
      if (live[at] !== part[at] || live[at + 1] !== part[at + 1]) changedSince.push(location);
      else this.#isChanged.items[location] = 0;
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
    const next = new Uint32Array(this.#isChanged.length + 1);
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
    for (const location of differs) if (this.#isChanged.at(location) === 0) this.#markChanged(location);
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
