import type { MemorySnapshot } from "../capture/records.js";

/** Memory over time, in columns, in order of time; bytes. */
export interface MemoryTimeline {
  /** Milliseconds since the start. */
  readonly timeMs: Float64Array;
  readonly rss: Float64Array;
  readonly heapUsed: Float64Array;
  /** Live bytes of tracked allocations. */
  readonly tracked: Float64Array;
}

export type TimelinePoint = Pick<MemorySnapshot, "timeMs" | "rss" | "heapUsed" | "tracked">;

const USUAL_POINTS = 1024;

/**
 * A process's memory over time as it goes on, in few points however long it goes on: where there are too many, two at a
 * time become one, with the larger figures of both, so that no peak is lost.
 */
export class TimelineRecorder {
  readonly #max: number;
  /** Milliseconds that a point stands for; of the last one, not all of them have passed. */
  #stepMs: number;
  #length = 0;
  readonly #timeMs: Float64Array;
  readonly #rss: Float64Array;
  readonly #heapUsed: Float64Array;
  readonly #tracked: Float64Array;

  /** `stepMs`: how far apart points are at first, milliseconds. */
  constructor(maxPoints = USUAL_POINTS, stepMs = 10) {
    this.#max = Math.max(2, maxPoints);
    this.#stepMs = stepMs;
    this.#timeMs = new Float64Array(this.#max);
    this.#rss = new Float64Array(this.#max);
    this.#heapUsed = new Float64Array(this.#max);
    this.#tracked = new Float64Array(this.#max);
  }

  add({ timeMs, rss, heapUsed, tracked }: TimelinePoint): void {
    const step = Math.floor(timeMs / this.#stepMs) * this.#stepMs;
    if (this.#length > 0 && step <= (this.#timeMs[this.#length - 1] as number)) {
      this.#raise(this.#length - 1, rss, heapUsed, tracked);
      return;
    }
    if (this.#length === this.#max) {
      this.#halve();
      this.add({ timeMs, rss, heapUsed, tracked });
      return;
    }
    const at = this.#length++;
    this.#timeMs[at] = step;
    this.#rss[at] = rss;
    this.#heapUsed[at] = heapUsed;
    this.#tracked[at] = tracked;
  }

  /** A copy of what there is now. */
  get timeline(): MemoryTimeline {
    const length = this.#length;
    return {
      timeMs: this.#timeMs.slice(0, length),
      rss: this.#rss.slice(0, length),
      heapUsed: this.#heapUsed.slice(0, length),
      tracked: this.#tracked.slice(0, length),
    };
  }

  #halve(): void {
    this.#stepMs *= 2;
    const length = this.#length;
    this.#length = 0;
    for (let i = 0; i < length; i++) {
      this.add({
        timeMs: this.#timeMs[i] as number,
        rss: this.#rss[i] as number,
        heapUsed: this.#heapUsed[i] as number,
        tracked: this.#tracked[i] as number,
      });
    }
  }

  #raise(at: number, rss: number, heapUsed: number, tracked: number): void {
    this.#rss[at] = Math.max(this.#rss[at] as number, rss);
    this.#heapUsed[at] = Math.max(this.#heapUsed[at] as number, heapUsed);
    this.#tracked[at] = Math.max(this.#tracked[at] as number, tracked);
  }
}
