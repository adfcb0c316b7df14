import fc from "fast-check";
import { expect, test } from "vitest";
import { TimelineRecorder } from "../../src/analysis/memory-timeline.js";

test("a timeline stays small, in order, and loses no peak", () => {
  const points = fc.array(
    fc.record({ after: fc.integer({ min: 1, max: 300 }), rss: fc.nat(1e9), tracked: fc.nat(1e9) }),
  );
  fc.assert(
    fc.property(points, fc.integer({ min: 2, max: 20 }), (all, max) => {
      const recorder = new TimelineRecorder(max, 10);
      let timeMs = 0;
      for (const { after, rss, tracked } of all) {
        timeMs += after;
        recorder.add({ timeMs, rss, heapUsed: 0, tracked });
      }
      const { timeMs: times, ...columns } = recorder.timeline;
      expect(times.length).toBeLessThanOrEqual(max);
      expect([...times]).toEqual([...new Set(times)].sort((a, b) => a - b));
      expect(times.at(-1) ?? 0).toBeLessThanOrEqual(timeMs);
      if (all.length === 0) return;
      expect(Math.max(...columns.rss)).toBe(Math.max(...all.map(({ rss }) => rss)));
      expect(Math.max(...columns.tracked)).toBe(Math.max(...all.map(({ tracked }) => tracked)));
    }),
  );
});

test("a short one has every snapshot", () => {
  const recorder = new TimelineRecorder();
  for (let i = 0; i < 5; i++) recorder.add({ timeMs: i * 10, rss: i, heapUsed: 2 * i, tracked: 3 * i });
  expect(recorder.timeline).toEqual({
    timeMs: Float64Array.of(0, 10, 20, 30, 40),
    rss: Float64Array.of(0, 1, 2, 3, 4),
    heapUsed: Float64Array.of(0, 2, 4, 6, 8),
    tracked: Float64Array.of(0, 3, 6, 9, 12),
  });
});
