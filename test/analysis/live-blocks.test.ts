import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LiveBlocks } from "../../src/analysis/live-blocks.js";

const addresses = new Float64Array(1);
const places = new Int32Array(1);

function placeOf(blocks: LiveBlocks, address: number): number {
  addresses[0] = address;
  blocks.locate(addresses, 0, 1, places);
  return places[0] as number;
}

/** Removes the block at the address: its location and size, if there is one. */
function remove(blocks: LiveBlocks, address: number): { location: number; size: number } | undefined {
  const place = placeOf(blocks, address);
  if (!blocks.isLive(place)) return undefined;
  const block = { location: blocks.locationAt(place), size: blocks.sizeAt(place) };
  blocks.free(place);
  return block;
}

/** Adds a block; the one that was there, if any. */
function add(blocks: LiveBlocks, address: number, size: number, location: number): ReturnType<typeof remove> {
  const replaced = remove(blocks, address);
  blocks.add(placeOf(blocks, address), size, location);
  return replaced;
}

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
    const step = fc.record({ adds: fc.boolean(), address, size, location: fc.nat(2 ** 31 - 3) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const blocks = new LiveBlocks();
        const map = new Map<number, { size: number; location: number }>();
        for (const { adds, address, size, location } of steps) {
          const before = map.get(address);
          expect(adds ? add(blocks, address, size, location) : remove(blocks, address)).toEqual(before);
          if (adds) map.set(address, { size, location });
          else map.delete(address);
          expect(blocks.count).toBe(map.size);
        }
        for (const [address, block] of map) expect(remove(blocks, address)).toEqual(block);
      }),
    );
  });

  it("differ where only the high part of their addresses differs", () => {
    const blocks = new LiveBlocks();
    const at = (high: number) => high * 2 ** 32 + 16;
    expect(numbers(30_000).filter((high) => add(blocks, at(high), high, high) !== undefined)).toEqual([]);
    expect(remove(blocks, at(30_000))).toBeUndefined();
    expect(numbers(30_000).filter((high) => remove(blocks, at(high))?.location !== high)).toEqual([]);
  });

  it("are found again after the table has grown and shrunk", () => {
    const blocks = new LiveBlocks();
    const at = (i: number) => 0x7f00_0000_0000 + i * 64;
    expect(numbers(100_000).filter((i) => add(blocks, at(i), i, i) !== undefined)).toEqual([]);
    expect(numbers(50_000).filter((i) => remove(blocks, at(2 * i))?.location !== 2 * i)).toEqual([]);
    expect(numbers(100_000).filter((i) => remove(blocks, at(i))?.location !== (i % 2 === 0 ? undefined : i))).toEqual(
      [],
    );
    expect(blocks.count).toBe(0);
  });

  it("are found while blocks at ever new addresses come and go among them", () => {
    const blocks = new LiveBlocks();
    const at = (i: number) => 0x7f00_0000_0000 + i * 48;
    for (let i = 0; i < 1500; i++) add(blocks, at(i), i, i);
    expect(
      numbers(50_000).filter((i) => {
        add(blocks, at(2000 + i), 1, 1);
        return remove(blocks, at(2000 + i)) === undefined;
      }),
    ).toEqual([]);
    expect(numbers(1500).filter((i) => remove(blocks, at(i))?.size !== i)).toEqual([]);
  });

  it("are located together, though those that come first take others' places", () => {
    const blocks = new LiveBlocks();
    const many = Float64Array.from(numbers(2000), (i) => 0x5500_0000_0000 + i * 16);
    const at = new Int32Array(2000);
    blocks.locate(many, 0, 2000, at);
    for (const i of numbers(2000)) blocks.add(at[i] as number, i, i);
    expect(numbers(2000).filter((i) => remove(blocks, many[i] as number)?.location !== i)).toEqual([]);
  });
});
