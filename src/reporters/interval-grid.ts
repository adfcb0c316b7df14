/**
 * The intervals of a capture, made fewer: two at a time become one, without which a long capture would fill a page. What
 * was held at the high-water mark of two is what was held at that of the higher one, so nothing that is told is inexact.
 */
export class IntervalGrid {
  /** Where each interval ends, but the last one; milliseconds. */
  endMs: Float64Array;
  /** Live bytes at the high-water mark of each interval; empty where that is not what is told. */
  marks: Float64Array;
  /** For each of the capture's intervals, and the one behind the last, the first one of these at or behind it. */
  #of: Uint32Array;

  constructor(endMs: Float64Array, marks: ArrayLike<number> | undefined) {
    this.endMs = endMs;
    this.marks = Float64Array.from(marks ?? []);
    this.#of = Uint32Array.from({ length: endMs.length + 2 }, (_, i) => i);
  }

  get length(): number {
    return this.endMs.length + 1;
  }

  /** What became of one of the capture's intervals; its number of intervals stands for the one behind the last. */
  of(interval: number): number {
    return this.#of[Math.min(interval, this.#of.length - 1)] as number;
  }

  /** Makes one interval of two. What became of each, and of the one behind the last. */
  halve(): Uint32Array {
    const { length, marks } = this;
    const half = Math.ceil(length / 2);
    const halved = new Uint32Array(length + 1);
    if (marks.length === 0) {
      for (let i = 0; i < length; i++) halved[i] = i >>> 1;
    } else {
      // Rows begin and end in time for the mark, which stands for both.
      const picked = Array.from({ length: half }, (_, i) => {
        const [first, second] = [2 * i, 2 * i + 1];
        return second < length && (marks[second] as number) > (marks[first] as number) ? second : first;
      });
      for (let i = 0, now = 0; i < length; i++) {
        while (now < half && (picked[now] as number) < i) now++;
        halved[i] = now;
      }
      this.marks = Float64Array.from(picked, (i) => marks[i] as number);
    }
    halved[length] = half;
    this.endMs = this.endMs.filter((_, i) => i % 2 === 1 && i < 2 * half - 2);
    this.#of = this.#of.map((i) => halved[i] as number);
    return halved;
  }
}
