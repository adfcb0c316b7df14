import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LiveBlocks } from "../../src/analysis/live-blocks.js";

// Many addresses are alike in their low 32 bits, and some come again.
const address = fc
  .tuple(fc.oneof(fc.nat(3), fc.nat(2 ** 16 - 1)), fc.nat(1))
  .map(([high, low]) => high * 2 ** 32 + low * 16);
const size = fc.oneof(
  fc.nat(1000),
  fc.maxSafeInteger().map((n) => Math.abs(n) % 2 ** 48),
);

const numbers = (below: number): number[] => [...Array(below).keys()];

describe("live blocks", () => {
  it("are those of a map", () => {
    const step = fc.record({ add: fc.boolean(), address, size, location: fc.nat(2 ** 31) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const blocks = new LiveBlocks();
        const map = new Map<number, { size: number; location: number }>();
        for (const { add, address, size, location } of steps) {
          const before = map.get(address);
          expect(add ? blocks.add(address, size, location) : blocks.remove(address)).toBe(before?.location ?? -1);
          if (before !== undefined) expect(blocks.foundSize).toBe(before.size);
          if (add) map.set(address, { size, location });
          else map.delete(address);
          expect(blocks.count).toBe(map.size);
        }
        for (const [address, { location }] of map) expect(blocks.remove(address)).toBe(location);
      }),
    );
  });

  it("differ where only the high part of their addresses differs", () => {
    const blocks = new LiveBlocks();
    const at = (high: number) => high * 2 ** 32 + 16;
    expect(numbers(30_000).filter((high) => blocks.add(at(high), high, high) !== -1)).toEqual([]);
    expect(blocks.remove(at(30_000))).toBe(-1);
    expect(numbers(30_000).filter((high) => blocks.remove(at(high)) !== high)).toEqual([]);
  });

  it("are found again after the table has grown and shrunk", () => {
    const blocks = new LiveBlocks();
    const at = (i: number) => 0x7f00_0000_0000 + i * 64;
    expect(numbers(100_000).filter((i) => blocks.add(at(i), i, i) !== -1)).toEqual([]);
    expect(numbers(50_000).filter((i) => blocks.remove(at(2 * i)) !== 2 * i)).toEqual([]);
    expect(numbers(100_000).filter((i) => blocks.remove(at(i)) !== (i % 2 === 0 ? -1 : i))).toEqual([]);
    expect(blocks.count).toBe(0);
  });
});
