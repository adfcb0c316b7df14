import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { TemporalAllocationRecords } from "../../src/analysis/temporal-records.js";
import { AllocatorType } from "../../src/capture/wire.js";
import { captureErrorOf } from "../support/capture-errors.js";
import { AGGREGATED_HEADER, CaptureWriter } from "../support/capture-writer.js";
import { allocations, leaked, temporaries } from "../support/memory-definitions.js";
import { MemoryModel, mergeThreads, type Step, type Usage } from "../support/memory-model.js";
import { readerOf } from "../support/memory-reader.js";
import { PAGES, randomSteps, usageOf, write } from "../support/memory-steps.js";

function model(steps: readonly Step[]): MemoryModel {
  const memory = new MemoryModel(PAGES);
  for (const step of steps) memory.step(step);
  memory.endInterval();
  return memory;
}

/** What the records say of the intervals that are `counted`. */
function held(records: TemporalAllocationRecords, counted: (from: number, to: number) => boolean): Usage {
  const usage: Usage = {};
  for (const { tid, stackId, allocator, intervals } of records) {
    const name = `${tid === 0 ? 0 : tid - 1000}:${stackId}:${AllocatorType[allocator]}`;
    expect(usage).not.toHaveProperty([name]);
    for (const { allocatedBeforeSnapshot: from, deallocatedBeforeSnapshot: to = Infinity, ...amount } of intervals) {
      expect(from).toBeLessThan(to);
      if (!counted(from, to)) continue;
      usage[name] ??= { count: 0, size: 0 };
      usage[name].count += amount.nAllocations;
      usage[name].size += amount.nBytes;
    }
  }
  return usage;
}

/** The usage where nothing is left of a location is as good as none. */
const something = (usage: Usage): Usage =>
  Object.fromEntries(Object.entries(usage).filter(([, { count, size }]) => count !== 0 || size !== 0));

describe("a reader", () => {
  it("gives temporary allocations, by thread or merged", () => {
    fc.assert(
      fc.property(randomSteps, fc.integer({ min: 0, max: 30 }), (steps, threshold) => {
        const reader = readerOf(write(steps));
        const expected = temporaries(steps, threshold);
        const split = reader.getTemporaryAllocationRecords({ mergeThreads: false, threshold });
        expect(usageOf(split)).toEqual(expected);
        expect(usageOf(reader.getTemporaryAllocationRecords({ threshold }))).toEqual(mergeThreads(expected));
        if (threshold === 1) expect(usageOf(reader.getTemporaryAllocationRecords())).toEqual(mergeThreads(expected));
      }),
    );
  });

  it.each([-1, 0.5, Number.NaN, 2 ** 60])("refuses a threshold of %d", (threshold) => {
    expect(() => readerOf(write([])).getTemporaryAllocationRecords({ threshold })).toThrow(RangeError);
  });

  it("has nothing against a threshold beyond any program", () => {
    const reader = readerOf(write([]));
    expect([...reader.getTemporaryAllocationRecords({ threshold: Number.MAX_SAFE_INTEGER })]).toEqual([]);
  });

  it("gives what was live at moments, in whatever order they are asked for, by thread or merged", () => {
    fc.assert(
      fc.property(randomSteps, (steps) => {
        const { intervals } = model(steps);
        const reader = readerOf(write(steps));
        // The time of a snapshot is its number; between two it is that of the next one, after the last the end.
        const moments = intervals.flatMap((_, i) => [i, i - 0.5]).filter((timeMs) => timeMs >= 0);
        const expected = moments.map((timeMs) => leaked(intervals, 0, Math.ceil(timeMs)));
        for (const order of [<T>(list: readonly T[]) => [...list], <T>(list: readonly T[]) => list.toReversed()]) {
          const split = reader.getLiveAllocationRecordsAt(order(moments), { mergeThreads: false });
          expect(order(split.map((records) => usageOf(records)))).toEqual(expected);
          const merged = reader.getLiveAllocationRecordsAt(order(moments));
          expect(order(merged.map((records) => usageOf(records)))).toEqual(expected.map(mergeThreads));
        }
      }),
    );
  });

  it.each([-1, Number.NaN])("refuses the moment %d", (timeMs) => {
    expect(() => readerOf(write([])).getLiveAllocationRecordsAt([timeMs])).toThrow(RangeError);
  });

  it("gives each interval's high-water mark, by thread or merged", () => {
    fc.assert(
      fc.property(randomSteps, (steps) => {
        const { intervals, tracked } = model(steps);
        const reader = readerOf(write(steps));
        const split = reader.getTemporalHighWaterMarkAllocationRecords({ mergeThreads: false });
        const merged = reader.getTemporalHighWaterMarkAllocationRecords();
        intervals.forEach(({ peakUsage }, i) => {
          const now = (from: number, to: number) => from <= i && i < to;
          expect(held(split, now)).toEqual(peakUsage);
          expect(held(merged, now)).toEqual(mergeThreads(peakUsage));
        });
        expect(merged.highWaterMarkBySnapshot).toEqual(intervals.map(({ peak }) => peak));
        expect(merged.snapshots.map((snapshot) => snapshot.tracked)).toEqual(tracked);
        expect(merged.snapshots).toEqual([...reader.getMemorySnapshots()]);
        for (const { intervals: own } of merged) {
          // They follow each other, as memray's do.
          const ends = own.map((interval) => interval.deallocatedBeforeSnapshot ?? Infinity);
          own.slice(1).forEach((next, i) => {
            expect(next.allocatedBeforeSnapshot).toBeGreaterThanOrEqual(ends[i] as number);
          });
        }
      }),
    );
  });

  it("gives what each range of intervals leaked, by thread or merged", () => {
    fc.assert(
      fc.property(randomSteps, (steps) => {
        const { intervals } = model(steps);
        const reader = readerOf(write(steps));
        const split = reader.getTemporalAllocationRecords({ mergeThreads: false });
        const merged = reader.getTemporalAllocationRecords();
        for (let first = 0; first < intervals.length; first++) {
          for (let last = first; last < intervals.length; last++) {
            const inRange = (from: number, to: number) => first <= from && from <= last && last < to;
            const expected = leaked(intervals, first, last);
            expect(something(held(split, inRange))).toEqual(something(expected));
            expect(something(held(merged, inRange))).toEqual(something(mergeThreads(expected)));
          }
        }
      }),
      { numRuns: 50 },
    );
  });

  it("gives statistics, and with them the rest in the same pass", () => {
    fc.assert(
      fc.property(randomSteps, (steps) => {
        const memory = model(steps);
        let passes = 0;
        const reader = readerOf(write(steps), { onProgress: (done, total) => (passes += done === total ? 1 : 0) });
        const statistics = reader.getStatistics({ numLargest: 3 });
        const passesUntilNow = passes;
        const made = [...allocations(steps)];
        const total = made.reduce((sum, { size }) => sum + size, 0);
        expect(statistics).toMatchObject({
          totalNumAllocations: made.length,
          totalMemoryAllocated: total,
          peakMemoryAllocated: memory.peak,
        });
        const lines = new Map<string, { size: number; n: number }>();
        for (const { location, size } of made) {
          const [thread, stack] = location.split(":");
          const line = stack === "0" ? `thread thread ${thread}, no JavaScript::0` : `f${stack}:/app/a.js:${stack}`;
          const sum = lines.get(line) ?? { size: 0, n: 0 };
          lines.set(line, { size: sum.size + size, n: sum.n + 1 });
        }
        const sorted = [...lines].sort(([, a], [, b]) => b.size - a.size || b.n - a.n).slice(0, 3);
        expect(statistics.topLocationsBySize.map(({ size, nAllocations: n }) => ({ size, n }))).toEqual(
          sorted.map(([, sum]) => sum),
        );
        for (const { function: name, file, line, size, nAllocations: n } of statistics.topLocationsByCount) {
          expect(lines.get(`${name}:${file}:${line}`)).toEqual({ size, n });
        }
        expect(reader.metadata.peakMemory).toBe(memory.peak);
        expect([...reader.getMemorySnapshots()].map(({ tracked }) => tracked)).toEqual(memory.tracked);
        expect(passes).toBe(passesUntilNow);
      }),
    );
  });

  it("names modules by their package, or by their file in the program", () => {
    const writer = new CaptureWriter();
    const path = "/srv/app/node_modules/.pnpm/x@1/node_modules";
    const stacks: [number, string, ...string[]][] = [
      [1000, "main@/srv/app/main.js:1", "inner@/srv/app/src/inner.js:2", "alloc@node:buffer:3"],
      [200, "main@/srv/app/main.js:1", `decode@${path}/png/lib/decode.js:3`],
      [30, "main@/srv/app/main.js:1", `resize@${path}/@scope/image/index.js:3`, "push@<builtin>"],
      [4, "elsewhere@/opt/tool.js:1"],
      [5, "run@node:internal/main:1"],
    ];
    for (const [size, ...frames] of stacks) writer.malloc(writer.stack(...frames), size, 4096 + size);
    writer.malloc(0, 6, 1);
    const { topModulesByAllocationSize, topModulesByAllocationCount } = readerOf(writer.finish()).getStatistics({
      numLargest: 10,
    });
    expect(topModulesByAllocationSize.map(({ module, size }) => [module, size])).toEqual([
      ["src/inner.js", 1000],
      ["png", 200],
      ["@scope/image", 30],
      ["<no JavaScript>", 6],
      ["<runtime>", 5],
      ["/opt/tool.js", 4],
    ]);
    expect(topModulesByAllocationCount).toHaveLength(6);
  });

  it("refuses all of it for aggregated captures", () => {
    const reader = readerOf(new CaptureWriter(AGGREGATED_HEADER).totals(0, 0).trailer(0).finish());
    for (const ask of [
      () => reader.getTemporaryAllocationRecords(),
      () => reader.getTemporalAllocationRecords(),
      () => reader.getTemporalHighWaterMarkAllocationRecords(),
      () => reader.getStatistics(),
    ]) {
      const { code, message } = captureErrorOf(ask);
      expect([code, message]).toEqual(["AGGREGATED", expect.stringMatching(/^test\.bin is an aggregated capture, /)]);
    }
    expect(reader.metadata.peakMemory).toBe(0);
  });
});
