import { readFileSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HighWaterMark } from "../../src/analysis/high-water-mark.js";
import { LiveMemory } from "../../src/analysis/live-memory.js";
import { MemoryByteSource } from "../../src/capture/byte-source.js";
import { EventBatch } from "../../src/capture/event-batch.js";
import { NumberedForm } from "../../src/capture/numbered-form.js";
import { AllocatorType, Flag, NUMBERED_VERSION, Type } from "../../src/capture/wire.js";
import { captureErrorOf } from "../support/capture-errors.js";
import { AGGREGATED_HEADER, CaptureWriter, HEADER } from "../support/capture-writer.js";
import { allEvents, decode, type Event } from "../support/events.js";
import { root } from "../support/heapray.js";
import { longRun, randomSteps, write } from "../support/memory-steps.js";
import { noise } from "../support/noise.js";
import { numberedForm } from "../support/numbered-form.js";

const HEADER_BYTES = new CaptureWriter().length;
const RANGES = new Set(["MMAP", "HEAP_PAGES", "MUNMAP", "snapshot"]);

/** The events that a capture's numbered form is to have, from its own. */
function numbered(events: readonly Event[]): Event[] {
  const live = new Map<number, number>();
  const result: Event[] = [];
  let count = 0;
  for (const event of events) {
    const number = live.get(event.address);
    const free: Event = { ...event, kind: "FREE", node: 0, size: 0, address: number ?? 0 };
    if (RANGES.has(event.kind)) {
      result.push(event);
    } else if (event.kind === "FREE") {
      if (number !== undefined) result.push(free);
      live.delete(event.address);
    } else {
      if (number !== undefined) result.push(free);
      live.set(event.address, ++count);
      result.push({ ...event, address: count });
    }
  }
  return result;
}

/** A capture of format 3 without what a header says. */
function records(...bytes: number[]): Uint8Array {
  return new CaptureWriter(HEADER, NUMBERED_VERSION).raw(...bytes).finish();
}

function figures(bytes: Uint8Array): unknown {
  const mark = new HighWaterMark(new LiveMemory());
  const batch = new EventBatch();
  const source = decode(bytes);
  while (source.next(batch)) mark.add(batch);
  const locations = Array.from({ length: mark.locations.length }, (_, i) => [
    mark.locations.node.at(i),
    mark.locations.thread.at(i),
    mark.locations.allocator.at(i),
    mark.peakBytesOf(i),
    mark.peakCountOf(i),
    mark.liveBytesOf(i),
    mark.liveCountOf(i),
  ]);
  return { locations, peak: mark.peakBytes, allocations: mark.totalAllocations, live: mark.liveBytes };
}

describe("the numbered form of a capture", () => {
  it("has the same events, with numbers in place of the addresses of blocks", () => {
    fc.assert(
      fc.property(randomSteps, fc.integer({ min: 1, max: 100 }), (steps, pieceBytes) => {
        const plain = write(steps);
        const form = numberedForm(plain, pieceBytes);
        expect(allEvents(decode(form))).toEqual(numbered(allEvents(decode(plain))));
        expect(figures(form)).toEqual(figures(plain));
      }),
    );
  });

  it("is exact with many live blocks, and where they come and go", () => {
    const plain = write(longRun());
    const form = numberedForm(plain, 1000);
    expect(allEvents(decode(form))).toEqual(numbered(allEvents(decode(plain))));
    expect(figures(form)).toEqual(figures(plain));
  });

  it("is exact at both ends of the range of addresses", () => {
    const top = 2 ** 48 - 1;
    const addresses = [0, top, 1, 2 ** 32, 2 ** 32 - 1, 2 ** 31, 2 ** 47, top - 7, 2 ** 32 + 1];
    const writer = new CaptureWriter();
    for (const address of addresses) writer.malloc(0, 1, address).mmap(0, 4096, address);
    for (const address of addresses) writer.free(address).munmap(address, 4096).malloc(0, 2, address).free(address);
    for (const address of addresses) writer.free(address);
    const plain = writer.finish();
    expect(allEvents(decode(numberedForm(plain)))).toEqual(numbered(allEvents(decode(plain))));
  });

  it("takes one byte and its stack and size for an allocation, two for a free in order", () => {
    const writer = new CaptureWriter().thread(1, 10, "main").switchTo(1);
    const before = numberedForm(writer.finish()).length;
    for (let i = 0; i < 10; i++) writer.malloc(0, 64, 0x7f00_0000_0000 + i * 80);
    for (let i = 0; i < 10; i++) writer.free(0x7f00_0000_0000 + i * 80);
    // The thread and the first size are told once.
    expect(numberedForm(writer.finish()).length - before).toBe(10 + 10 * 2 + 2 + 1);
  });

  it("is the same to the byte as in format 3", () => {
    const golden = (name: string) => readFileSync(path.join(root, "test/native", name), "utf8").trim();
    const plain = Buffer.from(golden("golden-capture.hex").replaceAll("\n", ""), "hex");
    const form = Buffer.from(numberedForm(plain)).toString("hex").replace(/.{64}/g, "$&\n").trim();
    expect(form).toBe(golden("golden-numbered.hex"));
  });

  it("copies all that is not about addresses: long strings, what later versions add, the trailer", () => {
    const filler = noise(100_000);
    const writer = new CaptureWriter();
    const text = "x".repeat(200_000);
    writer.thread(1, 7, text).switchTo(1).extended(200, filler).malloc(writer.stack("f@a.js:1:2"), 1, 0x10);
    const end = writer.snapshot(5, 6, 7, 8, 9).trailer(HEADER.startTimeMs + 3).length;
    const plain = writer.raw(9, 9, 9).finish();
    for (const pieceBytes of [1, 1000, 2 ** 20]) {
      const form = numberedForm(plain, pieceBytes);
      // All but the address.
      expect(form.length).toBe(end - 1);
      const decoder = decode(form);
      expect(decoder.header).toEqual(HEADER);
      expect(allEvents(decoder).map(({ kind }) => kind)).toEqual(["MALLOC", "snapshot"]);
      expect(decoder.tables.strings.get(decoder.tables.threadName.at(1))).toBe(text);
      expect(decoder.end).toMatchObject({ endTimeMs: HEADER.startTimeMs + 3 });
    }
  });

  it("of a prefix is a prefix, wherever it was cut, and of zeros behind the end nothing", () => {
    const steps = fc.sample(randomSteps, { numRuns: 20, seed: 3 }).flat();
    const plain = write(steps);
    const whole = numbered(allEvents(decode(plain)));
    for (let length = HEADER_BYTES; length < plain.length; length += 7) {
      const part = plain.slice(0, length);
      const expected = numbered(allEvents(decode(part)));
      expect(allEvents(decode(numberedForm(part)))).toEqual(expected);
      expect(expected).toEqual(whole.slice(0, expected.length));
    }
    const padded = new Uint8Array(plain.length + 50_000);
    padded.set(plain);
    expect(Buffer.from(numberedForm(padded)).equals(numberedForm(plain))).toBe(true);
  });

  it("has ranges that were written as ALLOC among the ranges", () => {
    const { MMAP, HEAP_PAGES } = AllocatorType;
    const plain = new CaptureWriter().raw(Type.ALLOC, MMAP, 0, 100, 16, Type.ALLOC | Flag.SAME_SIZE, HEAP_PAGES, 0, 16);
    const { finish } = plain.free(8);
    const bytes = finish.call(plain);
    expect(allEvents(decode(numberedForm(bytes))).map((e) => [e.kind, e.address, e.size])).toEqual([
      ["MMAP", 32, 100],
      ["HEAP_PAGES", 64, 100],
    ]);
  });

  it("does not exist of an aggregated capture, nor of itself", () => {
    const of = (bytes: Uint8Array) => NumberedForm.of(new MemoryByteSource(bytes));
    expect(of(new CaptureWriter(AGGREGATED_HEADER).finish())).toBeUndefined();
    expect(of(records())).toBeUndefined();
    expect(of(new CaptureWriter(HEADER, 1).finish())).toBeDefined();
  });

  it.each<[string, number[], RegExp]>([
    ["an address below 0", [Type.FREE, 2], /an address is out of range/],
    ["an address too high", [Type.FREE, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 2], /an address is out of range/],
    ["a long number", [Type.MALLOC, ...new Array(50).fill(0x80), 0, 0, 0], /longer than ten bytes/],
    ["a long number in a node", [Type.NODE, ...new Array(50).fill(0x80), 0], /longer than ten bytes/],
    ["an undefined thread", [Type.SWITCH, 1], /thread 1 is used/],
    ["a thread out of order", [Type.THREAD, 2, 1, 0], /thread 2 is defined before thread 1/],
    ["a frame of no functions", [Type.FRAME, 0], /claims 0 functions/],
    ["a free as an allocation", [Type.ALLOC, AllocatorType.FREE, 0, 1, 16], /not the number of an allocator/],
    ["a string without end", [Type.STRING, 0xff, 0xff, 0xff, 0xff, 15], /claims 4294967295 bytes/],
    ["an end with flags", [Type.END | Flag.SAME_STACK], /an end record has flags/],
  ])("is not made of a damaged capture: %s", (_, bytes, message) => {
    const plain = new CaptureWriter().raw(...bytes, ...new Array(100).fill(1)).finish();
    const error = captureErrorOf(() => numberedForm(plain));
    expect(error.code).toBe("CORRUPT");
    expect(error.message).toMatch(message);
    expect(captureErrorOf(() => allEvents(decode(plain))).code).toBe("CORRUPT");
  });
});

describe("a capture of format 3", () => {
  it("gives numbers in the stream's order, and frees relative to the thread's last one", () => {
    const capture = new CaptureWriter(HEADER, NUMBERED_VERSION).thread(1, 10, "a").thread(2, 11, "b");
    const allocate = [Type.MALLOC, 0, 100, Type.CALLOC | Flag.SAME_STACK | Flag.SAME_SIZE, Type.ALLOC, 33, 0, 8];
    capture.switchTo(1).raw(...allocate, Type.FREE, 0, Type.FREE, 2, Type.MMAP, 0, 50, 2 * 2 * 2);
    capture.switchTo(2).raw(...allocate, Type.FREE, 2 * 3, Type.FREE, 5);
    capture.switchTo(1).raw(Type.FREE, 4, Type.MUNMAP | Flag.SAME_ADDRESS, 50);
    const events = allEvents(decode(capture.finish()));
    expect(events.map(({ kind, thread, address, size }) => [kind, thread, address, size])).toEqual([
      ["MALLOC", 1, 1, 100],
      ["CALLOC", 1, 2, 100],
      ["JS_OBJECT", 1, 3, 8],
      ["FREE", 1, 1, 0],
      ["FREE", 1, 3, 0],
      ["MMAP", 1, 16, 50],
      ["MALLOC", 2, 4, 100],
      ["CALLOC", 2, 5, 100],
      ["JS_OBJECT", 2, 6, 8],
      ["FREE", 2, 4, 0],
      ["FREE", 2, 2, 0],
      ["FREE", 1, 6, 0],
      ["MUNMAP", 1, 16, 50],
    ]);
  });

  it.each<[string, number[], RegExp]>([
    ["freed before any was allocated", [Type.FREE, 0], /block 1 is freed before it is allocated/],
    ["that comes later", [Type.MALLOC, 0, 1, Type.FREE, 2], /block 2 is freed before it is allocated/],
    ["0", [Type.MALLOC, 0, 1, Type.FREE, 1], /block 0 is freed/],
    ["below 0", [Type.MALLOC, 0, 1, Type.FREE, 3], /out of range/],
    ["too high", [Type.MALLOC, 0, 1, Type.FREE, ...new Array(9).fill(0xff), 1], /is (out of range|freed before)/],
    ["without end", [Type.MALLOC, 0, 1, Type.FREE, ...new Array(20).fill(0xff)], /longer than ten bytes/],
    ["of a range", [Type.ALLOC, AllocatorType.MMAP, 0, 1], /14 is not the number of a block's allocator/],
    ["of heap pages", [Type.ALLOC, AllocatorType.HEAP_PAGES, 0, 1], /32 is not the number of a block's allocator/],
  ])("is damaged where a block's number is one %s", (_, bytes, message) => {
    const error = captureErrorOf(() => allEvents(decode(records(...bytes))));
    expect(error.code).toBe("CORRUPT");
    expect(error.message).toMatch(message);
    expect(error.message).toMatch(/^test\.bin is damaged at byte \d+: .*Record it again, or cut the file there/);
  });

  it("ignores the free of a block that was freed", () => {
    const once = records(Type.MALLOC, 0, 10, Type.MALLOC, 0, 20, Type.FREE, 0);
    const twice = records(Type.MALLOC, 0, 10, Type.MALLOC, 0, 20, Type.FREE, 0, Type.FREE, 1);
    expect(allEvents(decode(twice)).at(-1)).toMatchObject({ kind: "FREE", address: 1 });
    expect(figures(twice)).toEqual(figures(once));
  });

  it("never does anything but end or throw a CaptureError", () => {
    const form = numberedForm(write(fc.sample(randomSteps, { numRuns: 5, seed: 1 }).flat()));
    const change = fc.record({ at: fc.integer({ min: HEADER_BYTES, max: form.length - 1 }), byte: fc.nat(255) });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 5 }), (changes) => {
        const bytes = form.slice();
        for (const { at, byte } of changes) bytes[at] = byte;
        try {
          figures(bytes);
        } catch (error) {
          expect(error).toMatchObject({ name: "CaptureError", code: "CORRUPT" });
        }
      }),
      { numRuns: 500 },
    );
  });
});
