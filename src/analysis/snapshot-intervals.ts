/**
 * Time in intervals, from one memory snapshot to the next: 0 is before the first, and the last has no snapshot at its end.
 * When there are too many, two at a time become one, and from then on every second snapshot (then fourth, ...) starts
 * an interval, so that a long capture has few and they are evenly long.
 */
export class SnapshotIntervals {
  /** The interval that is going on. */
  now = 0;
  readonly #max: number;
  /** Snapshots from one start of an interval to the next. */
  #stride = 1;
  #sinceStart = 0;

  constructor(max: number) {
    this.#max = Math.max(2, Math.floor(max));
  }

  /** Takes in a snapshot; true where it starts an interval. */
  snapshot(): boolean {
    if (++this.#sinceStart < this.#stride) return false;
    this.#sinceStart = 0;
    this.now++;
    return true;
  }

  /** Makes one interval out of two where there are too many; `halved` tells which. */
  halveIfMany(): boolean {
    if (this.now <= this.#max) return false;
    this.now = halved(this.now, this.now);
    this.#stride *= 2;
    return true;
  }
}

/** What an interval is after two at a time became one; the one that is going on, `now`, stays alone. */
export function halved(interval: number, now: number): number {
  return (interval + (now & 1)) >>> 1;
}
