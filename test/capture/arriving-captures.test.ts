import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LiveCapture } from "../../src/analysis/live-capture.js";
import { ArrivingByteSource } from "../../src/capture/byte-source.js";
import { CaptureDecoder } from "../../src/capture/decoder.js";
import { headerBytes } from "../../src/capture/header.js";
import type { CaptureTables } from "../../src/capture/tables.js";
import { captureErrorOf } from "../support/capture-errors.js";
import { CaptureWriter, HEADER } from "../support/capture-writer.js";
import { allEvents, decode, type Event } from "../support/events.js";

const HEADER_BYTES = new CaptureWriter().length;

/** Records of every kind; strings and unknown records of up to 32 KiB, which the window has to be moved for. */
function capture(steps: readonly number[]): Uint8Array {
  const writer = new CaptureWriter().thread(1, 10, "main").thread(2, 300, "pool");
  const stacks = [0];
  for (const [i, step] of steps.entries()) {
    const [kind, value] = [step % 13, Math.floor(step / 13)];
    const stack = stacks[value % stacks.length] as number;
    const address = 0x7f00_0000_0000 + (value % 50) * 4096;
    if (kind === 0) stacks.push(writer.stack(`f${i}@/a/${"é".repeat(value)}.js:${i}`, "g@b.js"));
    else if (kind === 1) writer.switchTo(1 + (value % 2));
    else if (kind === 2) writer.snapshot(i, value * 1000, value);
    else if (kind === 3) writer.extended(77, new Uint8Array(value * 2).fill(255));
    else if (kind === 4) writer.mmap(stack, value + 1, address);
    else if (kind === 5) writer.munmap(address, value + 1);
    else if (kind === 6) writer.thread(1 + (value % 2), 10, `renamed ${i}`);
    else if (kind === 7) {
      const frame = writer.nativeFrame(writer.module(`lib${i}.so`, "00ff".repeat(value % 20)), value);
      writer.symbol(frame, `symbol${value}`);
      stacks.push(writer.node(stack, frame));
    } else if (kind < 10) writer.free(address);
    else writer.malloc(stack, value, address);
  }
  return writer.trailer(1234, "stop").finish();
}

/** Decodes what arrives in pieces that end at these offsets, as far as it can be decoded after each. */
function decodeArriving(bytes: Uint8Array, cuts: readonly number[]): { decoder: CaptureDecoder; events: Event[] } {
  const source = new ArrivingByteSource("test");
  source.push(bytes.slice(0, HEADER_BYTES));
  const decoder = new CaptureDecoder(source, { chunkBytes: bytes.length % 2 === 0 ? 1000 : 1_000_000 });
  const events: Event[] = [];
  let at = HEADER_BYTES;
  for (const cut of [...cuts, bytes.length]) {
    source.push(bytes.slice(at, cut));
    at = Math.max(at, cut);
    events.push(...allEvents(decoder));
  }
  return { decoder, events };
}

function contentOf(tables: CaptureTables): unknown {
  const { strings, ...others } = tables;
  const contents = Object.entries(others).map(([name, content]) => [
    name,
    "items" in content ? [...content.items.slice(0, content.length)] : [...content],
  ]);
  return {
    strings: Array.from({ length: strings.length }, (_, id) => strings.get(id)),
    ...Object.fromEntries(contents),
  };
}

const someSteps = fc.array(fc.oneof(fc.nat(2000), fc.integer({ min: 100_000, max: 200_000 })), {
  maxLength: 120,
  size: "max",
});

describe("a capture that arrives in pieces", () => {
  it("reads as it does at once, wherever it was cut", () => {
    fc.assert(
      fc.property(
        someSteps,
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 40, size: "max" }),
        (steps, places) => {
          const bytes = capture(steps);
          const whole = decode(bytes);
          const events = allEvents(whole);
          const cuts = places.map((place) => HEADER_BYTES + Math.floor(place * (bytes.length - HEADER_BYTES)));
          const arriving = decodeArriving(
            bytes,
            cuts.sort((a, b) => a - b),
          );
          expect(arriving.events).toEqual(events);
          expect(contentOf(arriving.decoder.tables)).toEqual(contentOf(whole.tables));
          expect([arriving.decoder.end, arriving.decoder.finished]).toEqual([
            { endTimeMs: 1234, reason: "stop" },
            true,
          ]);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("reads as it does at once, byte by byte, each event as soon as its last byte is there", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(2000), { maxLength: 60, size: "max" }), (steps) => {
        const bytes = capture(steps);
        const source = new ArrivingByteSource("test");
        source.push(bytes.slice(0, HEADER_BYTES));
        const decoder = new CaptureDecoder(source);
        const events: Event[] = [];
        for (let length = HEADER_BYTES + 1; length <= bytes.length; length++) {
          source.push(bytes.slice(length - 1, length));
          events.push(...allEvents(decoder));
          if (length % 97 === 0) expect(events).toEqual(allEvents(decode(bytes.slice(0, length))));
        }
        expect(events).toEqual(allEvents(decode(bytes)));
        expect(decoder.finished).toBe(true);
      }),
      { numRuns: 25 },
    );
  });

  it("tells the offset of damage in all that has arrived", () => {
    const bytes = new CaptureWriter().malloc(0, 10, 0x1000).snapshot(1, 2).finish();
    const damaged = new CaptureWriter().malloc(0, 10, 0x1000).snapshot(1, 2).raw(0x0e, 99).finish();
    const cuts = Array.from({ length: damaged.length - HEADER_BYTES }, (_, i) => HEADER_BYTES + i);
    const error = captureErrorOf(() => decodeArriving(damaged, cuts));
    expect([error.code, error.offset]).toEqual(["CORRUPT", bytes.length]);
  });

  it("has a header that tells how long it is", () => {
    const bytes = new CaptureWriter().malloc(0, 10, 0x1000).finish();
    for (let length = 0; length <= bytes.length; length++) {
      const needed = headerBytes(bytes.subarray(0, length));
      expect(length < needed).toBe(length < HEADER_BYTES);
    }
    expect(headerBytes(Uint8Array.from([0x68, 0x65, 1]))).toBeLessThanOrEqual(3);
  });
});

describe("a live capture", () => {
  it("tells at any moment what is live", () => {
    const live = new LiveCapture("test");
    const writer = new CaptureWriter().thread(1, 10, "main").switchTo(1);
    const stack = writer.stack("keep@/app/a.js:3:7");
    let sent = 0;
    const send = () => {
      const bytes = writer.finish();
      for (; sent < bytes.length; sent++) live.push(bytes.slice(sent, sent + 1));
    };
    expect([live.header, live.records(), live.lastSnapshot]).toEqual([undefined, [], undefined]);
    writer.malloc(stack, 1000, 0x1000).malloc(stack, 500, 0x2000).snapshot(10, 5000);
    send();
    expect(live.header).toEqual(HEADER);
    expect(live.records().map(({ size, nAllocations }) => [size, nAllocations])).toEqual([[1500, 2]]);
    expect(live.records()[0]?.stackTrace()).toEqual([{ function: "keep", file: "/app/a.js", line: 3, column: 7 }]);
    expect(live.lastSnapshot).toMatchObject({ timeMs: 10, rss: 5000, tracked: 1500 });
    writer.free(0x1000).snapshot(20, 4000);
    send();
    expect(live.records().map(({ size }) => size)).toEqual([500]);
    expect([live.liveBytes, live.peakBytes, live.totalAllocations, live.snapshots.length]).toEqual([500, 1500, 2, 2]);
    expect(live.end).toBeUndefined();
    writer.trailer(99, "exit");
    send();
    expect(live.end).toEqual({ endTimeMs: 99, reason: "exit" });
  });

  it("does not take an end in the middle for silence", () => {
    const live = new LiveCapture("test");
    live.push(new CaptureWriter().malloc(0, 10, 0x1000).finish());
    expect(captureErrorOf(() => live.push(new Uint8Array(1))).code).toBe("CORRUPT");
  });
});
