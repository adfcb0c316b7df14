import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AllocationLifetimes } from "../../src/analysis/allocation-lifetimes.js";
import { AllocationStatistics } from "../../src/analysis/allocation-statistics.js";
import { HighWaterMark } from "../../src/analysis/high-water-mark.js";
import { type Held, heldInInterval, leakedInRange } from "../../src/analysis/interval-records.js";
import { IntervalSnapshots } from "../../src/analysis/interval-snapshots.js";
import { LiveMemory } from "../../src/analysis/live-memory.js";
import { TemporalHighWaterMarks } from "../../src/analysis/temporal-high-water-marks.js";
import { TemporaryAllocations } from "../../src/analysis/temporary-allocations.js";
import { EventBatch } from "../../src/capture/event-batch.js";
import { AllocatorType } from "../../src/capture/wire.js";
import { decode } from "../support/events.js";
import { allocations, leaked, temporaries } from "../support/memory-definitions.js";
import { type Interval, MemoryModel, type Step, type Usage } from "../support/memory-model.js";
import { PAGES, randomSteps, write } from "../support/memory-steps.js";

/** All analyses, fed from one pass in small batches. */
function analyse(steps: readonly Step[], maxIntervals: number, threshold = 1) {
  const live = new LiveMemory({ maxIntervals, births: true });
  const { locations, births } = live;
  if (births === undefined) throw new Error("no births");
  const mark = new HighWaterMark(live);
  const marks = new TemporalHighWaterMarks(locations);
  const lifetimes = new AllocationLifetimes(births);
  const statistics = new AllocationStatistics(locations);
  const temporary = new TemporaryAllocations(locations, threshold);
  const snapshots = new IntervalSnapshots();
  const source = decode(write(steps), 4096);
  const batch = new EventBatch(5);
  let mostBirths = 0;
  while (source.next(batch)) {
    const changes = live.follow(batch);
    for (const reader of [mark, marks, lifetimes, statistics, temporary, snapshots]) reader.take(changes);
    mostBirths = Math.max(mostBirths, births.length);
  }
  const nameOf = (location: number): string => {
    const allocator = AllocatorType[locations.allocator.at(location)];
    return `${locations.thread.at(location)}:${locations.node.at(location)}:${allocator}`;
  };
  const usage = (held: ReadonlyMap<number, Held>): Usage =>
    Object.fromEntries([...held].map(([location, { bytes, count }]) => [nameOf(location), { count, size: bytes }]));
  const sums = ({ countOf, bytesOf }: { countOf(location: number): number; bytesOf(location: number): number }) =>
    Object.fromEntries(
      [...Array(locations.length).keys()]
        .map((location) => [nameOf(location), { count: countOf(location), size: bytesOf(location) }] as const)
        .filter(([, { count }]) => count > 0),
    );
  return { locations, mark, marks, lifetimes, statistics, temporary, snapshots, usage, sums, mostBirths };
}

function model(steps: readonly Step[]): MemoryModel {
  const memory = new MemoryModel(PAGES);
  for (const step of steps) memory.step(step);
  memory.endInterval();
  return memory;
}

/** The highest of several intervals, the first of several that are equal. */
function highest(intervals: readonly Interval[]): Interval {
  return intervals.reduce((best, interval) => (interval.peak > best.peak ? interval : best));
}

describe("one pass", () => {
  it("finds each interval's high-water mark and what each range of them leaked", () => {
    fc.assert(
      fc.property(randomSteps, (steps) => {
        const { intervals, tracked } = model(steps);
        const { marks, lifetimes, snapshots, usage } = analyse(steps, 1000);
        const [held, lived] = [marks.records(), lifetimes.records()];
        expect(marks.bytesByInterval).toEqual(intervals.map(({ peak }) => peak));
        intervals.forEach(({ peakUsage }, i) => {
          expect(usage(heldInInterval(held, i))).toEqual(peakUsage);
        });
        for (let first = 0; first < intervals.length; first++) {
          for (let last = first; last < intervals.length; last++) {
            expect(usage(leakedInRange(lived, first, last))).toEqual(leaked(intervals, first, last));
          }
        }
        expect(snapshots.snapshots.map((snapshot) => snapshot.tracked)).toEqual(tracked);
      }),
      { numRuns: 300 },
    );
  });

  it("finds them too where two intervals at a time were made one", () => {
    fc.assert(
      fc.property(
        fc.array(randomSteps, { minLength: 4, maxLength: 8 }),
        fc.integer({ min: 2, max: 5 }),
        (parts, max) => {
          const steps = parts.flat();
          const { intervals: all } = model(steps);
          const { marks, lifetimes, snapshots, usage } = analyse(steps, max);
          const [held, lived] = [marks.records(), lifetimes.records()];
          // The time of a snapshot is its number.
          const ends = [...snapshots.snapshots.map(({ timeMs }) => timeMs), all.length - 1];
          const startOf = (interval: number) => (ends[interval - 1] ?? -1) + 1;
          // A batch that has more snapshots than there may be intervals is followed to its end.
          expect(ends.length).toBeLessThanOrEqual(max + 6);
          expect(marks.bytesByInterval.length).toBe(ends.length);
          ends.forEach((end, i) => {
            const { peak, peakUsage } = highest(all.slice(startOf(i), end + 1));
            expect(marks.bytesByInterval[i]).toBe(peak);
            expect(usage(heldInInterval(held, i))).toEqual(peakUsage);
            for (let first = 0; first <= i; first++) {
              expect(usage(leakedInRange(lived, first, i))).toEqual(leaked(all, startOf(first), end));
            }
          });
        },
      ),
      { numRuns: 300 },
    );
  });

  it("finds the high-water mark and the leaks of the whole", () => {
    fc.assert(
      fc.property(randomSteps, (steps) => {
        const memory = model(steps);
        const { locations, mark, usage } = analyse(steps, 10);
        const figures = (bytes: (location: number) => number, count: (location: number) => number) =>
          new Map(
            [...Array(locations.length).keys()]
              .filter((location) => count(location) > 0)
              .map((location) => [location, { bytes: bytes(location), count: count(location) }]),
          );
        expect(mark.peakBytes).toBe(memory.peak);
        const peak = figures(
          (l) => mark.peakBytesOf(l),
          (l) => mark.peakCountOf(l),
        );
        expect(usage(peak)).toEqual(memory.peakUsage);
        const live = figures(
          (l) => mark.liveBytesOf(l),
          (l) => mark.liveCountOf(l),
        );
        expect(usage(live)).toEqual(memory.usage());
      }),
    );
  });

  it("adds up all allocations", () => {
    fc.assert(
      fc.property(randomSteps, (steps) => {
        const { statistics, sums } = analyse(steps, 10);
        const usage: Usage = {};
        const bySize = new Map<number, number>();
        const byAllocator = new Map<number, number>();
        for (const { location, allocator, size } of allocations(steps)) {
          usage[location] ??= { count: 0, size: 0 };
          usage[location].count++;
          usage[location].size += size;
          bySize.set(size, (bySize.get(size) ?? 0) + 1);
          byAllocator.set(allocator, (byAllocator.get(allocator) ?? 0) + 1);
        }
        expect(sums({ countOf: (l) => statistics.countOf(l), bytesOf: (l) => statistics.bytesOf(l) })).toEqual(usage);
        expect([...statistics.countBySize()]).toEqual([...bySize].sort(([a], [b]) => a - b));
        expect(statistics.countByAllocator()).toEqual(byAllocator);
        const total = Object.values(usage);
        expect(statistics.totalAllocations).toBe(total.reduce((sum, { count }) => sum + count, 0));
        expect(statistics.totalBytes).toBe(total.reduce((sum, { size }) => sum + size, 0));
      }),
    );
  });

  it("finds temporary allocations", () => {
    fc.assert(
      fc.property(randomSteps, fc.integer({ min: 0, max: 40 }), (steps, threshold) => {
        const { temporary, sums } = analyse(steps, 10, threshold);
        const found = sums({ countOf: (l) => temporary.countOf(l), bytesOf: (l) => temporary.bytesOf(l) });
        expect(found).toEqual(temporaries(steps, threshold));
      }),
      { numRuns: 1000 },
    );
  });

  it("gives the numbers of short births again", () => {
    const steps: Step[] = [];
    for (let i = 0; i < 3000; i++) {
      const block = { thread: 1, address: 0x10, stack: 1 + (i % 4) };
      steps.push({ do: "allocate", ...block, allocator: AllocatorType.MALLOC, size: 8 });
      steps.push({ do: "free", thread: 1, address: 0x10 }, { do: "snapshot" });
    }
    const { mostBirths, lifetimes } = analyse(steps, 10_000);
    expect(mostBirths).toBeLessThan(20);
    expect(lifetimes.records().length).toBe(0);
  });
});
