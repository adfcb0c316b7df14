import type { LocationSums } from "./allocation-record.js";
import type { ChangeReader, MemoryChanges } from "./memory-changes.js";

const INITIAL_LOCATIONS = 1024;

/**
 * What was live at given moments. Captures tell the time at memory snapshots only: a moment is the first snapshot that
 * is not before it, and after the last one the end.
 */
export class LiveAtMoments implements ChangeReader {
  /** Milliseconds since the start of those still to come, the next one last. */
  readonly #ahead: number[];
  readonly #held = new Map<number, LocationSums>();
  #live = new Held(new Float64Array(INITIAL_LOCATIONS), new Float64Array(INITIAL_LOCATIONS));

  /** `timesMs`: milliseconds since the start, in any order. */
  constructor(timesMs: Iterable<number>) {
    this.#ahead = [...new Set(timesMs)].sort((a, b) => b - a);
  }

  take(changes: MemoryChanges): void {
    if (this.#ahead.length === 0) return;
    const { snapshotAt, batch, length } = changes;
    let row = 0;
    for (let i = 0; i < snapshotAt.length; i++) {
      const end = snapshotAt[i] as number;
      this.#apply(changes, row, end);
      row = end;
      this.#reach(batch.snapshots[i]?.timeMs ?? 0);
    }
    this.#apply(changes, row, length);
  }

  /** What locations held at one of the moments, once all changes are taken; a location that came later held nothing. */
  at(timeMs: number): LocationSums {
    return this.#held.get(timeMs) ?? this.#live;
  }

  #reach(timeMs: number): void {
    let held: LocationSums | undefined;
    while (this.#ahead.length > 0 && (this.#ahead.at(-1) as number) <= timeMs) {
      held ??= new Held(this.#live.bytes.slice(), this.#live.count.slice());
      this.#held.set(this.#ahead.pop() as number, held);
    }
  }

  #apply({ location, bytes, count }: MemoryChanges, from: number, to: number): void {
    for (let row = from; row < to; row++) {
      const at = location[row] as number;
      if (at >= this.#live.bytes.length) this.#grow(at + 1);
      const { bytes: liveBytes, count: liveCount } = this.#live;
      liveBytes[at] = (liveBytes[at] as number) + (bytes[row] as number);
      liveCount[at] = (liveCount[at] as number) + (count[row] as number);
    }
  }

  #grow(locations: number): void {
    const length = Math.max(locations, 2 * this.#live.bytes.length);
    const grown = new Held(new Float64Array(length), new Float64Array(length));
    grown.bytes.set(this.#live.bytes);
    grown.count.set(this.#live.count);
    this.#live = grown;
  }
}

class Held implements LocationSums {
  readonly bytes: Float64Array;
  readonly count: Float64Array;

  constructor(bytes: Float64Array, count: Float64Array) {
    this.bytes = bytes;
    this.count = count;
  }

  bytesOf(location: number): number {
    return this.bytes[location] ?? 0;
  }

  countOf(location: number): number {
    return this.count[location] ?? 0;
  }
}
