import type { ReportMetadata } from "../../../src/reporters/flamegraph-data.js";
import type { TemporalTables } from "../../../src/reporters/temporal-data.js";
import type { TimeRange } from "../../../src/reporters/temporal-weights.js";

/** The ends of a range, or the whole of it. */
export type RangePart = "start" | "end" | "whole";

/** Where intervals begin and end: interval i goes from edge i to edge i + 1. Milliseconds. */
export function edgesOf({ endMs }: TemporalTables, metadata: ReportMetadata): Float64Array {
  const last = endMs.at(-1) ?? 0;
  // The last interval goes on to the end, and is there even where that was at once.
  const end = Math.max(metadata.endTimeMs - metadata.startTimeMs, last + 1);
  return Float64Array.of(0, ...endMs, end);
}

/** The intervals that a stretch of time touches. */
export function touched(edges: Float64Array, fromMs: number, toMs: number): TimeRange {
  const [low, high] = fromMs <= toMs ? [fromMs, toMs] : [toMs, fromMs];
  const last = edges.length - 2;
  const first = Math.min(last, Math.max(0, countUpTo(edges, low, true) - 1));
  return { first, last: Math.max(first, Math.min(last, countUpTo(edges, high, false) - 1)) };
}

/** How many of the ascending edges are below the time, or at it. */
function countUpTo(edges: Float64Array, timeMs: number, including: boolean): number {
  let [low, high] = [0, edges.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const at = edges[middle] as number;
    if (at < timeMs || (including && at === timeMs)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The range with one end, or all of it, so many intervals further on; as far as there are any. */
export function moved(range: TimeRange, part: RangePart, by: number, intervals: number): TimeRange {
  const { first, last } = range;
  if (part === "start") return { first: Math.min(last, Math.max(0, first + by)), last };
  if (part === "end") return { first, last: Math.max(first, Math.min(intervals - 1, last + by)) };
  const step = Math.max(-first, Math.min(intervals - 1 - last, by));
  return { first: first + step, last: last + step };
}

/** A moment of the run, as finely as intervals of this length need it to be told apart; milliseconds. */
export function formatMoment(ms: number, intervalMs: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const digits = intervalMs >= 1000 ? 0 : intervalMs >= 100 ? 1 : intervalMs >= 10 ? 2 : 3;
  const unit = 10 ** digits;
  const whole = Math.round((ms / 1000) * unit);
  const seconds = `${((whole % (60 * unit)) / unit).toFixed(digits)} s`;
  const minutes = Math.floor(whole / (60 * unit));
  if (minutes === 0) return seconds;
  if (minutes < 60) return `${minutes} min ${seconds}`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min ${seconds}`;
}
