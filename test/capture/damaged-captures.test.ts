import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CaptureError } from "../../src/capture/errors.js";
import { Flag, FORMAT_VERSION, Type } from "../../src/capture/wire.js";
import { captureErrorOf } from "../support/capture-errors.js";
import { CaptureWriter } from "../support/capture-writer.js";
import { allEvents, decode } from "../support/events.js";

const NATIVE_FRAME = Type.FRAME | Flag.NATIVE_FRAME;
const HEADER_BYTES = new CaptureWriter().length;

function smallCapture(): Uint8Array {
  const writer = new CaptureWriter().thread(1, 10, "main").thread(2, 300, "pool");
  const [a, b] = [writer.stack("main@/app/a.js:1:1", "work@/app/b.js:200:30"), writer.stack("é@/app/c.js:9:9")];
  writer.switchTo(1).malloc(a, 1000, 0x7f00_0000_1000).malloc(b, 70_000, 0x7f00_0010_0010).snapshot(10, 5e8, 1e6);
  writer
    .switchTo(2)
    .mmap(a, 1 << 20, 0x7e00_0000_0000)
    .free(0x7f00_0000_1000)
    .munmap(0x7e00_0000_1000, 4096);
  const native = writer.nativeFrame(writer.module("/lib/libc.so.6", "0123456789abcdef", 0x7f00_0000_0000), 0x98765);
  writer.symbol(native, "malloc").allocation(33, writer.node(a, native), 16_391, 0x8001);
  return writer.allocation(9, b, 64, 0x5555_0000_0003).trailer(1_700_000_000_100).finish();
}

function records(...bytes: number[]): CaptureError {
  return captureErrorOf(() => allEvents(decode(new CaptureWriter().raw(...bytes).finish())));
}

describe("a capture that was cut short", () => {
  it("is read up to its last whole record, wherever it was cut", () => {
    const bytes = smallCapture();
    const whole = allEvents(decode(bytes));
    let longest = 0;
    for (let length = HEADER_BYTES; length <= bytes.length; length++) {
      const events = allEvents(decode(bytes.slice(0, length)));
      expect(events).toEqual(whole.slice(0, events.length));
      expect(events.length).toBeGreaterThanOrEqual(longest);
      longest = events.length;
    }
    expect(longest).toBe(whole.length);
    expect(decode(bytes.slice(0, -1)).end).toBeUndefined();
  });

  it("ends before a record whose tag was not written yet, as a mapped file has it after a kill", () => {
    const start = new CaptureWriter().malloc(0, 5, 0x1000).length;
    const bytes = new CaptureWriter().malloc(0, 5, 0x1000).malloc(0, 6, 0x2000).malloc(0, 7, 0x3000).finish();
    const padded = new Uint8Array(bytes.length + 100_000);
    padded.set(bytes);
    expect(allEvents(decode(padded))).toHaveLength(3);
    padded[start] = 0;
    expect(allEvents(decode(padded))).toHaveLength(1);
  });

  it("is not a capture when not even the header is whole", () => {
    const bytes = smallCapture();
    for (let length = 0; length < HEADER_BYTES; length++) {
      const error = captureErrorOf(() => decode(bytes.slice(0, length)));
      expect(error.code).toBe("NOT_A_CAPTURE");
      expect(error.message).toMatch(/^test\.bin ends inside its header/);
    }
  });
});

describe("a file that is no capture of this version", () => {
  it.each([
    ["an ELF file", [0x7f, 0x45, 0x4c, 0x46]],
    ["a text", [...new TextEncoder().encode("heaprays are fish, and this is a text about them")]],
  ])("is refused: %s", (_, bytes) => {
    const error = captureErrorOf(() => decode(Uint8Array.from(bytes)));
    expect(error.code).toBe("NOT_A_CAPTURE");
    expect(error.message).toContain("test.bin is not a heapray capture");
  });

  it("is refused when newer, with what to do", () => {
    const error = captureErrorOf(() => decode(new CaptureWriter({}, FORMAT_VERSION + 1).finish()));
    expect(error).toMatchObject({ code: "NEWER_VERSION", source: "test.bin" });
    expect(error.message).toContain(`capture format ${FORMAT_VERSION + 1}`);
    expect(error.message).toContain("update heapray");
  });

  it.each([1, 2])("is read when it has format %i", (version) => {
    expect(allEvents(decode(new CaptureWriter({}, version).malloc(0, 1, 0x10).finish()))).toHaveLength(1);
  });

  it("is refused when its metadata makes no sense", () => {
    expect(captureErrorOf(() => decode(new CaptureWriter([]).finish())).code).toBe("CORRUPT");
    const huge = new CaptureWriter().finish();
    new DataView(huge.buffer).setUint32(12, 0x7fff_ffff, true);
    expect(captureErrorOf(() => decode(huge))).toMatchObject({ code: "CORRUPT", offset: 12 });
    const broken = new CaptureWriter().finish();
    broken[16] = 0x21;
    expect(captureErrorOf(() => decode(broken)).message).toContain("not JSON");
  });
});

describe("a damaged record", () => {
  it.each<[string, number[], RegExp]>([
    ["an undefined stack", [Type.MALLOC, 2, 8, 16], /stack node 1 is used before it is defined/],
    ["a stack before the first", [Type.MALLOC, 1, 8, 16], /stack node -1/],
    ["an undefined parent", [Type.NODE, 5, 2], /parent of stack node 1/],
    ["a node as its own parent", [Type.NODE, 0, 2], /parent of stack node 1/],
    ["an undefined frame", [Type.NODE, 1, 2], /frame 1 is used/],
    ["an undefined string", [Type.SCRIPT, 1, 0], /string 1 is used/],
    ["an undefined script", [Type.FUNCTION, 0, 1, 0, 0], /script 1 is used/],
    ["an undefined function", [Type.FRAME, 1, 1, 0, 0], /function 1 is used/],
    ["an undefined thread", [Type.SWITCH, 1], /thread 1 is used/],
    ["a thread out of order", [Type.THREAD, 2, 1, 0], /thread 2 is defined before thread 1/],
    ["a frame of no functions", [Type.FRAME, 0], /claims 0 functions/],
    ["a frame of too many functions", [Type.FRAME, 0x80, 2], /claims 256 functions/],
    ["an address below zero", [Type.FREE, 2], /address is out of range/],
    ["a size beyond all memory", [Type.MUNMAP, 0, ...Array(7).fill(0x80), 1], /larger than the address/],
    ["an allocator that frees", [Type.ALLOC, 5, 0, 1, 0], /5 is not the number of an allocator/],
    ["an end with flags", [0x10], /end record has flags/],
    ["a string of 4 GiB", [Type.STRING, 0xff, 0xff, 0xff, 0xff, 0x0f], /claims 4294967295 bytes/],
    ["an extended record of 4 GiB", [Type.EXTENDED, 9, 0xff, 0xff, 0xff, 0xff, 0x0f], /claims 4294967295 bytes/],
    ["a snapshot that is too short", [Type.EXTENDED, 1, 2, 1, 1], /snapshot is too short/],
    ["an undefined module", [NATIVE_FRAME, 1, 5], /module 1 is used/],
    ["a module without a path", [Type.EXTENDED, 5, 3, 1, 0, 0], /string 1 is used/],
    ["a module that is too short", [Type.EXTENDED, 5, 4, 0, 0, 2, 1], /module is too short/],
    ["a build id of 65 bytes", [Type.EXTENDED, 5, 68, 0, 0, 65, ...Array(65).fill(1)], /build id claims 65 bytes/],
    ["a symbol of no frame", [Type.EXTENDED, 6, 2, 1, 0], /frame 1 is used/],
    ["a symbol of frame 0", [Type.EXTENDED, 6, 2, 0, 0], /frame 0 has a symbol and is not native/],
    ["a symbol that is too short", [Type.EXTENDED, 6, 1, 0, 0], /symbol is too short/],
    ["a trailer that is no JSON", [Type.EXTENDED, 2, 1, 0x7b], /trailer is not JSON/],
    ["a trailer of another shape", [Type.EXTENDED, 2, 4, 0x6e, 0x75, 0x6c, 0x6c], /no end time/],
  ])("is reported with its place: %s", (_, bytes, reason) => {
    const error = records(...bytes);
    expect(error).toMatchObject({ code: "CORRUPT", source: "test.bin", offset: HEADER_BYTES });
    expect(error.message).toMatch(reason);
    expect(error.message).toContain(`test.bin is damaged at byte ${HEADER_BYTES}`);
  });

  it("is reported where a number does not end", () => {
    const error = records(Type.MALLOC, ...Array(40).fill(0xff));
    expect(error).toMatchObject({ code: "CORRUPT", offset: HEADER_BYTES + 1 });
    expect(error.message).toMatch(/longer than ten bytes/);
  });

  it("does not reserve what a length merely claims", () => {
    const claims16MiB = new CaptureWriter().raw(Type.STRING, 0x80, 0x80, 0x80, 8).finish();
    const before = process.memoryUsage().arrayBuffers;
    expect(allEvents(decode(claims16MiB))).toEqual([]);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * 1024 * 1024);
  });

  it("never does anything but end or throw a CaptureError", () => {
    const bytes = smallCapture();
    const place = fc.integer({ min: 0, max: bytes.length - 1 });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(place, fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 6 }),
        (edits) => {
          const damaged = bytes.slice();
          for (const [at, value] of edits) damaged[at] = value;
          try {
            allEvents(decode(damaged));
          } catch (error) {
            expect(error).toBeInstanceOf(CaptureError);
          }
        },
      ),
      { numRuns: 2000 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (noise) => {
        try {
          allEvents(decode(new CaptureWriter().bytes(noise).finish()));
        } catch (error) {
          expect(error).toBeInstanceOf(CaptureError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
