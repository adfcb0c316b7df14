import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AllocatorType } from "../../src/capture/wire.js";
import { decodeFlameGraph, encodeFlameGraph } from "../../src/reporters/flamegraph-codec.js";
import type { FlameGraphData } from "../../src/reporters/flamegraph-data.js";
import { kindOf } from "../../src/reporters/flamegraph-tree.js";
import type { TemporalTables, TemporalView } from "../../src/reporters/temporal-data.js";
import { type TemporalFlameGraphInput, temporalFlameGraphData } from "../../src/reporters/temporal-flamegraph.js";
import { amountsIn, highestInterval } from "../../src/reporters/temporal-weights.js";
import { leaked } from "../support/memory-definitions.js";
import { type Interval, MemoryModel, type Step, type Usage } from "../support/memory-model.js";
import { readerOf } from "../support/memory-reader.js";
import { PAGES, randomSteps, write } from "../support/memory-steps.js";

function intervalsOf(steps: readonly Step[]): readonly Interval[] {
  const memory = new MemoryModel(PAGES);
  for (const step of steps) memory.step(step);
  memory.endInterval();
  return memory.intervals;
}

function dataOf(
  steps: readonly Step[],
  kind: TemporalView,
  fields: Partial<TemporalFlameGraphInput> = {},
): FlameGraphData {
  const reader = readerOf(write(steps));
  return temporalFlameGraphData({
    highWaterMarks: () => reader.getTemporalHighWaterMarkAllocationRecords({ mergeThreads: false }),
    leaks: () => reader.getTemporalAllocationRecords({ mergeThreads: false }),
    snapshots: () => reader.getMemorySnapshots(),
    metadata: reader.metadata,
    kind,
    ...fields,
  });
}

/** The model's usage by what the page tells apart: thread, stack and kind of memory. */
function byKind(usage: Usage): Usage {
  const result: Usage = {};
  for (const [location, amount] of Object.entries(usage)) {
    const [thread, stack, allocator] = location.split(":") as [string, string, keyof typeof AllocatorType];
    add(result, `thread ${thread}:${stack}:${kindOf(AllocatorType[allocator])}`, amount.count, amount.size);
  }
  return something(result);
}

function shown(data: FlameGraphData, view: TemporalView, first: number, last: number): Usage {
  const { weights, nodes, frames, strings, threads } = data;
  const { bytes, allocations } = amountsIn(data.temporal as TemporalTables, view, { first, last }, weights.node.length);
  const result: Usage = {};
  weights.node.forEach((node, row) => {
    const name = strings[frames.function[nodes.frame[node] as number] as number] ?? "";
    const stack = name.startsWith("thread: ") ? "0" : name.slice(1);
    const key = `${threads[weights.thread[row] as number]}:${stack}:${weights.kind[row]}`;
    add(result, key, allocations[row] as number, bytes[row] as number);
  });
  return something(result);
}

function add(usage: Usage, key: string, count: number, size: number): void {
  usage[key] ??= { count: 0, size: 0 };
  usage[key].count += count;
  usage[key].size += size;
}

const something = (usage: Usage): Usage =>
  Object.fromEntries(Object.entries(usage).filter(([, { count, size }]) => count !== 0 || size !== 0));

/** How many of the capture's intervals became one. */
function strideOf(data: FlameGraphData, intervals: readonly Interval[]): number {
  const { length } = (data.temporal as TemporalTables).endMs;
  let stride = 1;
  while (Math.ceil(intervals.length / stride) > length + 1) stride *= 2;
  expect(Math.ceil(intervals.length / stride)).toBe(length + 1);
  return stride;
}

function expectRanges(data: FlameGraphData, view: TemporalView, intervals: readonly Interval[]): void {
  const temporal = data.temporal as TemporalTables;
  const stride = strideOf(data, intervals);
  const count = temporal.endMs.length + 1;
  // A snapshot's time is its number.
  expect([...temporal.endMs]).toEqual(Array.from({ length: count - 1 }, (_, i) => (i + 1) * stride - 1));
  for (let first = 0; first < count; first++) {
    for (let last = first; last < count; last++) {
      const [start, end] = [first * stride, Math.min(intervals.length, (last + 1) * stride)];
      if (view === "leaks") {
        expect(shown(data, view, first, last)).toEqual(byKind(leaked(intervals, start, end - 1)));
        continue;
      }
      const peaks = intervals.slice(start, end).map(({ peak }) => peak);
      const highest = start + peaks.indexOf(Math.max(...peaks));
      expect(temporal.marks[highestInterval(temporal.marks, { first, last })]).toBe(Math.max(...peaks));
      expect(shown(data, view, first, last)).toEqual(byKind((intervals[highest] as Interval).peakUsage));
    }
  }
}

describe("the tables of a flame graph over time", () => {
  it.each(["high-water-mark", "leaks"] as const)("tell of any range what it held: %s", (kind) => {
    fc.assert(
      fc.property(randomSteps, (steps) => {
        const intervals = intervalsOf(steps);
        const data = decodeFlameGraph(encodeFlameGraph(dataOf(steps, kind)));
        expect(strideOf(data, intervals)).toBe(1);
        expectRanges(data, "high-water-mark", intervals);
        expectRanges(data, "leaks", intervals);
      }),
      { numRuns: 60 },
    );
  });

  it.each(["high-water-mark", "leaks"] as const)("stay exact where intervals became fewer: %s", (kind) => {
    fc.assert(
      fc.property(randomSteps, fc.integer({ min: 2, max: 6 }), (steps, maxIntervals) => {
        const data = dataOf(steps, kind, { maxIntervals });
        expect((data.temporal as TemporalTables).endMs.length).toBeLessThan(maxIntervals);
        expectRanges(data, "high-water-mark", intervalsOf(steps));
        expectRanges(data, "leaks", intervalsOf(steps));
      }),
      { numRuns: 60 },
    );
  });

  it.each(["high-water-mark", "leaks"] as const)("stay exact where rows became fewer: %s", (kind) => {
    fc.assert(
      fc.property(randomSteps, fc.integer({ min: 1, max: 40 }), (steps, maxRows) => {
        const data = dataOf(steps, kind, { maxRows });
        const { highWaterMark, leaks, endMs } = data.temporal as TemporalTables;
        const rows = (highWaterMark?.weight.length ?? 0) + (leaks?.weight.length ?? 0);
        if (endMs.length > 1) expect(rows).toBeLessThanOrEqual(maxRows);
        if (highWaterMark) expectRanges(data, "high-water-mark", intervalsOf(steps));
        if (leaks) expectRanges(data, "leaks", intervalsOf(steps));
        expect(kind === "leaks" ? leaks : highWaterMark).toBeDefined();
      }),
      { numRuns: 100 },
    );
  });

  it("weigh at first what the whole run held", () => {
    fc.assert(
      fc.property(randomSteps, fc.constantFrom("high-water-mark" as const, "leaks" as const), (steps, kind) => {
        const data = dataOf(steps, kind);
        const reader = readerOf(write(steps));
        const records =
          kind === "leaks" ? reader.getLeakedAllocationRecords() : reader.getHighWatermarkAllocationRecords();
        const bytes = [...records].reduce((sum, { size }) => sum + size, 0);
        expect(data.weights.bytes.reduce((sum, size) => sum + size, 0)).toBe(bytes);
      }),
      { numRuns: 30 },
    );
  });

  it("come back from the page's bytes as they were, and are refused when damaged", () => {
    const [steps] = fc.sample(randomSteps, { numRuns: 1, seed: 11 }) as [Step[]];
    const data = dataOf(steps, "leaks");
    const bytes = encodeFlameGraph(data);
    expect(decodeFlameGraph(bytes)).toEqual(data);
    for (let length = 0; length < bytes.length; length += 7) {
      expect(() => decodeFlameGraph(bytes.slice(0, length)), `cut to ${length} bytes`).toThrow();
    }
  });
});
