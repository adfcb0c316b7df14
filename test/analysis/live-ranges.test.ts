import { describe, expect, it } from "vitest";
import { LiveRanges } from "../../src/analysis/live-ranges.js";

function observed(): { removed: [number, number, number][]; observer: Parameters<LiveRanges["remove"]>[2] } {
  const removed: [number, number, number][] = [];
  return { removed, observer: { rangeRemoved: (...args) => removed.push(args) } };
}

describe("live ranges", () => {
  it("are cut, shortened and dropped as ranges are removed", () => {
    const { removed, observer } = observed();
    const ranges = new LiveRanges();
    ranges.add(100, 100, 1, observer);
    ranges.add(300, 100, 2, observer);
    ranges.add(400, 100, 3, observer);
    ranges.remove(140, 20, observer);
    ranges.remove(0, 110, observer);
    ranges.remove(190, 150, observer);
    ranges.remove(0, 1000, observer);
    ranges.remove(0, 1000, observer);
    expect(removed).toEqual([
      [1, 20, 1],
      [1, 10, 0],
      [1, 10, 0],
      [2, 40, 0],
      [1, 30, -1],
      [1, 30, -1],
      [2, 60, -1],
      [3, 100, -1],
    ]);
  });

  it("stay right, and quick, when a mapping is cut into very many pieces", () => {
    const pieces = 200_000;
    const { observer } = observed();
    let live = 0;
    let bytes = 0;
    const counting: typeof observer = {
      rangeRemoved(_location, removedBytes, more) {
        live += more;
        bytes -= removedBytes;
      },
    };
    const ranges = new LiveRanges();
    ranges.add(0, pieces * 2 * 4096, 1, counting);
    live++;
    bytes += pieces * 2 * 4096;
    // Every second page, in an order that jumps about: 7919 is prime to the number of pieces.
    for (let i = 0; i < pieces; i++) ranges.remove((((i * 7919) % pieces) * 2 + 1) * 4096, 4096, counting);
    expect(bytes).toBe(pieces * 4096);
    expect(live).toBe(pieces);
    ranges.remove(4096 * 10, 4096 * 100_000, counting);
    expect(live).toBe(pieces - 50_000);
    ranges.remove(0, pieces * 2 * 4096, counting);
    expect([live, bytes]).toEqual([0, 0]);
  });
});
