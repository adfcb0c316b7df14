import { expect, test } from "vitest";
import { pairedRuns, quantile } from "../../bench/paired.mjs";

const prints = (milliseconds: number): [string, ...string[]] => [
  process.execPath,
  "-e",
  `console.log(${milliseconds})`,
];

test("the ratio is B's time as a multiple of A's", async () => {
  const { work, wall } = await pairedRuns(prints(200), prints(500), 4);
  expect(work).toEqual({ median: 2.5, low: 2.5, high: 2.5, a: 200, b: 500 });
  // Both processes do the same, so they take about as long.
  expect(wall.median).toBeGreaterThan(0.2);
  expect(wall.median).toBeLessThan(5);
});

test("quantiles lie between the values, in proportion", () => {
  expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5);
  expect(quantile([10, 30, 20], 0.5)).toBe(20);
  expect(quantile([0, 10], 0.25)).toBe(2.5);
  expect(quantile([5], 1)).toBe(5);
});
