import { describe, expect, it } from "vitest";
import { sizeHistogram } from "../../src/analysis/size-histogram.js";

const MEMRAY = [
  { minBytes: 0, maxBytes: 1, count: 7 },
  { minBytes: 2, maxBytes: 3, count: 0 },
  { minBytes: 4, maxBytes: 6, count: 5 },
  { minBytes: 7, maxBytes: 14, count: 0 },
  { minBytes: 15, maxBytes: 31, count: 0 },
  { minBytes: 32, maxBytes: 62, count: 0 },
  { minBytes: 63, maxBytes: 126, count: 7 },
  { minBytes: 127, maxBytes: 254, count: 0 },
  { minBytes: 255, maxBytes: 510, count: 0 },
  { minBytes: 511, maxBytes: 1024, count: 3 },
];

describe("the histogram of sizes", () => {
  it("has the bins of memray's", () => {
    // memray.reporters.stats.get_histogram_databins of the same sizes, and describe_histogram_databins.
    const counts = new Map([
      [0, 3],
      [1, 4],
      [8, 5],
      [100, 7],
      [1000, 1],
      [1024, 2],
    ]);
    expect(sizeHistogram(counts)).toEqual(MEMRAY);
  });

  it("has all of one size in the last bin", () => {
    expect(sizeHistogram(new Map([[100, 7]])).at(-1)).toMatchObject({ count: 7 });
    expect(sizeHistogram(new Map([[1, 7]])).at(-1)).toMatchObject({ maxBytes: 1, count: 7 });
  });

  it("is empty where nothing was allocated, and not where nothing had bytes", () => {
    expect(sizeHistogram(new Map())).toEqual([]);
    expect(sizeHistogram(new Map([[0, 2]]))[0]).toMatchObject({ minBytes: 0, count: 2 });
  });
});
