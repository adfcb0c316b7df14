import { readFileSync } from "node:fs";
import { gunzipSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FileReader } from "../../src/analysis/file-reader.js";
import { MemoryByteSource } from "../../src/capture/byte-source.js";
import { CaptureDecoder } from "../../src/capture/decoder.js";
import { CaptureError } from "../../src/capture/errors.js";
import { EventBatch } from "../../src/capture/event-batch.js";
import { MEMBER_BYTES, memberLength } from "../../src/capture/gzip-member.js";
import { compressCaptureSync } from "../../src/tracker/compress-capture.js";
import { captureErrorOf } from "../support/capture-errors.js";
import { CaptureWriter, HEADER } from "../support/capture-writer.js";
import { type Folder, temporaryFolder } from "../support/heapray.js";
import { noise } from "../support/noise.js";
import { numberedForm } from "../support/numbered-form.js";

let folder: Folder;
let plain: Uint8Array;
let packed: Uint8Array;
let bounds: number[];

/** Records enough for three members, of sizes that count up; a stretch of bytes that do not compress among them. */
function largeCapture(): Uint8Array {
  const writer = new CaptureWriter();
  const filler = noise(1024 * 1024);
  for (let i = 1; i <= 2000; i++) {
    if (i % 250 === 0) writer.extended(200, filler);
    writer.malloc(0, i, i * 0x1000);
  }
  return writer
    .extended(200, filler)
    .trailer(HEADER.startTimeMs + 5)
    .finish();
}

beforeAll(() => {
  folder = temporaryFolder();
  plain = largeCapture();
  const file = folder.write("packed.bin", plain);
  expect(compressCaptureSync(file)).toBe(true);
  packed = new Uint8Array(readFileSync(file));
  bounds = [0];
  for (let at = 0; at < packed.length; at = bounds.at(-1) ?? 0) {
    bounds.push(at + (memberLength(packed.subarray(at, at + 20)) ?? Number.NaN));
  }
});
afterAll(() => folder.remove());

/** Sizes in order, read without Node.js's zlib, and whether the end was reached. */
function read(bytes: Uint8Array): { sizes: number[]; complete: boolean } {
  const decoder = new CaptureDecoder(new MemoryByteSource(bytes, "a.bin"));
  const batch = new EventBatch();
  const sizes: number[] = [];
  while (decoder.next(batch)) for (let i = 0; i < batch.length; i++) sizes.push(batch.size[i] as number);
  return { sizes, complete: decoder.end !== undefined };
}

/** The same through a FileReader. */
function readFile(bytes: Uint8Array): { sizes: number[]; complete: boolean } {
  using reader = new FileReader(folder.write("a.bin", bytes));
  return { sizes: [...reader.getAllocationRecords()].map(({ size }) => size), complete: reader.metadata.complete };
}

const countTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1);

describe("a compressed capture", () => {
  it("is gzip, in members that tell their length", () => {
    const unpacked = gunzipSync(packed);
    expect(unpacked.equals(numberedForm(plain))).toBe(true);
    expect(bounds).toHaveLength(1 + Math.ceil(unpacked.length / MEMBER_BYTES));
    expect(bounds.at(-1)).toBe(packed.length);
    expect(bounds.length).toBeGreaterThan(3);
  });

  it.each([
    ["anywhere", read],
    ["in Node.js", readFile],
  ])("reads as it would uncompressed, %s", (_, readWith) => {
    expect(readWith(packed)).toEqual({ sizes: countTo(2000), complete: true });
    expect(readWith(plain)).toEqual({ sizes: countTo(2000), complete: true });
  });

  it.each([
    ["anywhere", read],
    ["in Node.js", readFile],
  ])("by another gzip program reads as well, %s", (_, readWith) => {
    const whole = { sizes: countTo(2000), complete: true };
    expect(readWith(gzipSync(plain))).toEqual(whole);
    const half = plain.length >> 1;
    const parts = [gzipSync(plain.subarray(0, half)), gzipSync(plain.subarray(half))];
    expect(readWith(Buffer.concat(parts))).toEqual(whole);
  });

  it.each([
    ["anywhere", read],
    ["in Node.js", readFile],
  ])("that was cut reads up to there, %s", (_, readWith) => {
    const [, first = 0, second = 0] = bounds;
    const counts: number[] = [];
    for (const length of [1000, first - 1, first, first + 1, first + 19, first + 20, second - 9, packed.length - 1]) {
      const { sizes, complete } = readWith(packed.subarray(0, length));
      expect(sizes).toEqual(countTo(sizes.length));
      expect(complete).toBe(length === packed.length - 1);
      counts.push(sizes.length);
    }
    expect(counts).toEqual([...counts].sort((a, b) => a - b));
    // Not just whole members: what is there of the last one counts.
    expect(counts[1]).toBeGreaterThan(500);
    expect(counts[6]).toBeGreaterThan((counts[2] ?? 0) + 500);
  });

  it("that was cut in the header's part is no capture", () => {
    for (let length = 0; length < 40; length++) {
      const error = captureErrorOf(() => readFile(packed.subarray(0, length)));
      expect(error.code).toBe("NOT_A_CAPTURE");
    }
  });

  it("tells how far it was read in bytes of the file", () => {
    const told: number[] = [];
    using reader = new FileReader(folder.write("a.bin", packed), {
      onProgress: (done, total) => {
        expect(total).toBe(packed.length);
        told.push(done);
      },
    });
    expect(reader.metadata.totalAllocations).toBe(2000);
    expect(told.length).toBeGreaterThan(5);
    expect(told).toEqual([...told].sort((a, b) => a - b));
    expect(told.at(-1)).toBe(packed.length);
  });

  it("whose content is damaged is reported in one sentence, with the damaged part's place", () => {
    const [, first = 0, second = 0] = bounds;
    const damaged = packed.slice();
    damaged.fill(0xaa, first + 5000, first + 5100);
    const error = captureErrorOf(() => readFile(damaged));
    expect(error).toMatchObject({ code: "CORRUPT", offset: first });
    expect(error.message).toMatch(/a\.bin is damaged at byte \d+: .*Record it again, or cut the file there/);
    expect(readFile(damaged.subarray(0, first)).sizes.length).toBeGreaterThan(500);

    const checksum = packed.slice();
    checksum[second - 8] = (checksum[second - 8] as number) ^ 1;
    expect(captureErrorOf(() => readFile(checksum))).toMatchObject({ code: "CORRUPT", offset: first });

    const behind = Buffer.concat([packed, Buffer.from("and something else behind it")]);
    expect(captureErrorOf(() => readFile(behind))).toMatchObject({ code: "CORRUPT", offset: packed.length });
  });

  it("whose records contradict the format is reported with the place in what it unpacks to", () => {
    const writer = new CaptureWriter().malloc(0, 1000, 0x1000);
    const at = writer.finish().length;
    const error = captureErrorOf(() => read(gzipSync(writer.raw(0x10).finish())));
    expect(error).toMatchObject({ code: "CORRUPT", offset: at });
    expect(error.message).toContain(`damaged at byte ${at} of what it unpacks to: an end record has flags`);
    expect(error.message).toContain("unpack it with gunzip and cut the file there");
  });

  it("does not reserve what a length merely claims", () => {
    const small = gzipSync(new CaptureWriter().malloc(0, 10, 0x1000).finish());
    const file = folder.write("small.bin", gunzipSync(small));
    compressCaptureSync(file);
    const claims = readFileSync(file);
    claims.writeUInt32LE(0xffff_ffff, 16);
    expect(captureErrorOf(() => readFile(claims)).message).toContain("claims 4294967295 bytes");
    compressCaptureSync(folder.write("small.bin", gunzipSync(small)));
    const holds = readFileSync(file);
    holds.writeUInt32LE(0xffff_ffff, holds.length - 4);
    expect(captureErrorOf(() => readFile(holds)).message).toContain("claims to hold 4294967295 bytes");
  });

  it("never does anything but end or throw a CaptureError", () => {
    const small = folder.write("small.bin", new CaptureWriter().malloc(0, 10, 0x1000).snapshot(1, 2).finish());
    compressCaptureSync(small);
    const bytes = new Uint8Array(readFileSync(small));
    const place = fc.integer({ min: 0, max: bytes.length - 1 });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(place, fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 4 }),
        (edits) => {
          const damaged = bytes.slice();
          for (const [at, value] of edits) damaged[at] = value;
          for (const readWith of [read, readFile]) {
            try {
              readWith(damaged);
            } catch (error) {
              expect(error).toBeInstanceOf(CaptureError);
            }
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});
