import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CaptureReader } from "../../src/analysis/capture-reader.js";
import { FileReader } from "../../src/analysis/file-reader.js";
import { MemoryByteSource } from "../../src/capture/byte-source.js";
import { openCapture } from "../../src/capture/open-capture.js";
import { AllocatorType } from "../../src/capture/wire.js";
import { captureErrorOf } from "../support/capture-errors.js";
import { lz4Frame } from "../support/lz4.js";
import {
  END_MS,
  type MemrayHeaderFields,
  MemrayWriter,
  memrayAggregatedCapture,
  START_MS,
  TWO_LINES,
} from "../support/memray-capture.js";

const MALLOC = 6;
const MMAP = 14;
const MUNMAP = 15;
const PYMALLOC_FREE = 1;
const PYMALLOC_MALLOC = 2;

function read(bytes: Uint8Array, chunkBytes?: number): CaptureReader {
  const options = chunkBytes === undefined ? {} : { chunkBytes };
  return new CaptureReader("memray.bin", bytes.length, (onRead) =>
    openCapture(new MemoryByteSource(bytes, "memray.bin"), { onRead, ...options }),
  );
}

/** `bytes allocations thread: stack`, innermost first. */
function peakOf(reader: CaptureReader): string[] {
  return [...reader.getHighWatermarkAllocationRecords({ mergeThreads: false })]
    .map(
      (record) =>
        `${record.size} ${record.nAllocations} ${record.threadName || record.tid}: ${record
          .stackTrace()
          .map(({ function: name, file, line }) => `${name} ${file}:${line}`)
          .join(" < ")}`,
    )
    .sort();
}

/** Two threads, a free, a mapping, an object, a snapshot, and code objects that are told of late. */
function sample(fields?: MemrayHeaderFields): MemrayWriter {
  return new MemrayWriter(fields)
    .snapshot(0, 5000)
    .thread(1, "main")
    .code(1, "<module>", "app.py", 1, TWO_LINES)
    .push(1, 2)
    .allocation(MALLOC, 0x7f00_0000_1000, 100)
    .code(2, "work", "app.py", 10, TWO_LINES)
    .push(2, 0)
    .object(0x7f00_0000_2000, true)
    .allocation(MALLOC, 0x7f00_0000_2000, 1000)
    .thread(2, "other")
    .push(2, 2, false)
    .allocation(MMAP, 0x7f00_1000_0000, 8192)
    .allocation(MUNMAP, 0x7f00_1000_1000, 4096)
    .thread(1)
    .free(0x7f00_0000_2000)
    .pop()
    .allocation(MALLOC, 0x7f00_0000_2000, 5000)
    .snapshot(20, 9000)
    .end();
}

describe("captures that memray wrote", () => {
  test.each([12, 13])("format %i: header, stacks, threads, snapshots", (version) => {
    const reader = read(sample({ version, mainThread: 1 }).bytes);
    expect(reader.metadata).toMatchObject({
      pid: 77,
      mainThreadId: 1,
      commandLine: ["app.py", "--fast"],
      runtime: { name: "python", version: "3.11", ...(version === 13 && { standardLibrary: ["/lib/python"] }) },
      startTimeMs: START_MS,
      endTimeMs: END_MS,
      complete: true,
      fileFormat: "ALL_ALLOCATIONS",
      hasNativeTraces: false,
      totalAllocations: 4,
      peakMemory: 100 + 1000 + 8192,
    });
    expect(reader.metadata.options).toMatchObject({ memray: version === 13 ? "1.20" : "1.19" });
    expect(peakOf(reader)).toEqual([
      "100 1 main: <module> app.py:3",
      "1000 1 main: work app.py:10 < <module> app.py:3",
      "8192 1 other: work app.py:12",
    ]);
    expect([...reader.getLeakedAllocationRecords()].map(({ size }) => size).sort()).toEqual([4096, 5100]);
    expect([...reader.getMemorySnapshots()].map(({ timeMs, rss, tracked }) => [timeMs, rss, tracked])).toEqual([
      [0, 5000, 0],
      [20, 9000, 9196],
    ]);
  });

  test("whatever the pieces that it is read in", () => {
    const { bytes } = sample();
    const whole = peakOf(read(bytes));
    for (const chunk of [1, 2, 3, 7, 64]) expect(peakOf(read(bytes, chunk))).toEqual(whole);
  });

  test("frames of memray itself are left out on its main thread only", () => {
    const { bytes } = sample({ skippedFrames: 1 });
    expect(peakOf(read(bytes))).toEqual([
      "100 1 main: ",
      "1000 1 main: work app.py:10",
      "8192 1 other: work app.py:12",
    ]);
  });

  test("blocks of Python's own allocator", () => {
    const writer = new MemrayWriter().thread(1).code(1, "f", "a.py", 1, TWO_LINES).push(1);
    writer.allocation(PYMALLOC_MALLOC, 0x1000, 32).allocation(PYMALLOC_MALLOC, 0x1008, 64).free(0x1000, PYMALLOC_FREE);
    const reader = read(writer.end().bytes);
    const left = [...reader.getLeakedAllocationRecords()];
    expect(left.map(({ allocator, size }) => [allocator, size])).toEqual([[AllocatorType.PYMALLOC_MALLOC, 64]]);
  });

  test("of equal peaks the last, as memray has it", () => {
    const writer = new MemrayWriter()
      .thread(1)
      .code(1, "one", "a.py", 1, TWO_LINES)
      .code(2, "two", "a.py", 5, TWO_LINES);
    writer.push(1).allocation(MALLOC, 0x1000, 500).free(0x1000).pop();
    writer.push(2).allocation(MALLOC, 0x1000, 500).free(0x1000).pop();
    expect(peakOf(read(writer.end().bytes))).toEqual(["500 1 1: two a.py:5"]);
  });

  test("sizes and addresses beyond 32 bits, and addresses that come again", () => {
    const writer = new MemrayWriter().thread(1).code(1, "f", "a.py", 1, TWO_LINES).push(1);
    for (let i = 0; i < 40; i++) writer.allocation(MALLOC, 0x7fff_0000_0000 + (i % 17) * 8, 2 ** 33 + i);
    const reader = read(writer.end().bytes);
    expect(reader.metadata.peakMemory).toBe(
      17 * 2 ** 33 + Array.from({ length: 17 }, (_, i) => i + 23).reduce((a, b) => a + b),
    );
  });
});

test("an aggregated capture", () => {
  const reader = read(memrayAggregatedCapture());
  expect(reader.metadata).toMatchObject({ fileFormat: "AGGREGATED_ALLOCATIONS", complete: true, peakMemory: 900 });
  expect(peakOf(reader)).toEqual([
    "300 3 main: 0x800 in python /lib/python:0",
    "300 3 main: work app.py:10 < <module> app.py:3",
    "300 3 other: <module> app.py:3",
  ]);
  expect([...reader.getMemorySnapshots()].map(({ timeMs, tracked }) => [timeMs, tracked])).toEqual([
    [0, 0],
    [10, 700],
  ]);
});

test("what is unmapped where nothing can be is left out, and the addresses after it are right", () => {
  const writer = new MemrayWriter().thread(1).code(1, "f", "a.py", 1, TWO_LINES).push(1);
  writer
    .allocation(MMAP, 0x7f00_0000_1000, 4096)
    .allocation(MUNMAP, -1, 4096)
    .allocation(MUNMAP, -1, 2 ** 50);
  writer
    .allocation(MALLOC, 0x7f00_0000_2008, 10)
    .free(0x7f00_0000_2008)
    .free(-8)
    .allocation(MALLOC, 0x7f00_0000_3010, 7);
  writer.free(0x7f00_0000_3010).allocation(MUNMAP, 0x7f00_0000_1000, 4096).allocation(MALLOC, 0x7f00_0000_4000, 1);
  const reader = read(writer.end().bytes);
  expect([...reader.getLeakedAllocationRecords()].map(({ size }) => size)).toEqual([1]);
});

describe("native traces", () => {
  const modules = [
    { path: "/lib/python", bias: 0x1000_0000, segments: [[0, 0x1000]] },
    { path: "/lib/other.so", bias: 0x2000_0000, segments: [[0, 0x1000]] },
  ] as const;
  /** The loop is all that lies below 0x100 in Python. */
  const interpreterLoop = { holds: (module: string, address: number) => module === "/lib/python" && address < 0x100 };

  function stackOf(write: (writer: MemrayWriter) => MemrayWriter, fields: MemrayHeaderFields = {}): string[] {
    const writer = new MemrayWriter({ native: true, mainThread: 1, ...fields });
    writer.modules(...modules.map((module) => ({ ...module, segments: [...module.segments] as [number, number][] })));
    writer.code(1, "a", "a.py", 1, TWO_LINES).code(2, "b", "a.py", 5, TWO_LINES).code(3, "c", "a.py", 9, TWO_LINES);
    const { bytes } = write(writer.thread(1)).end();
    const source = openCapture(new MemoryByteSource(bytes, "memray.bin"), { interpreterLoop });
    const reader = new CaptureReader("memray.bin", bytes.length, () => source);
    const [record] = reader.getLeakedAllocationRecords();
    return record?.stackTrace().map(({ function: name }) => name) ?? [];
  }

  /** Outermost first: main, loop, call, loop, malloc. */
  function natives(writer: MemrayWriter): MemrayWriter {
    writer.nativeFrame(0x1000_0800, 0).nativeFrame(0x1000_0010, 1).nativeFrame(0x1000_0900, 2);
    return writer.nativeFrame(0x1000_0020, 3).nativeFrame(0x2000_0100, 4);
  }

  test("Python's functions stand where the loop is that executes them", () => {
    const stack = stackOf((writer) =>
      natives(writer).push(1).push(2, 0, false).push(3).allocation(MALLOC, 0x1000, 8, 5),
    );
    expect(stack).toEqual(["0x100 in other.so", "c", "0x900 in python", "b", "a", "0x800 in python"]);
  });

  test("what is outside of the tracker is left out, machine code as well", () => {
    const stack = stackOf(
      (writer) => natives(writer).push(1).push(2, 0, false).push(3).allocation(MALLOC, 0x1000, 8, 5),
      { skippedFrames: 1 },
    );
    expect(stack).toEqual(["0x100 in other.so", "c", "0x900 in python", "b"]);
  });

  test("a loop that was not told of stays machine code", () => {
    const stack = stackOf((writer) => natives(writer).push(1).allocation(MALLOC, 0x1000, 8, 5));
    expect(stack).toEqual(["0x100 in other.so", "0x20 in python", "0x900 in python", "a", "0x800 in python"]);
  });

  test("with more of Python than loops, the stack is Python's", () => {
    const stack = stackOf((writer) => natives(writer).push(1).push(2).push(3).allocation(MALLOC, 0x1000, 8, 3));
    expect(stack).toEqual(["c", "b", "a"]);
  });

  test("addresses without a module are left out, and those of another time are those of its modules", () => {
    const stack = stackOf((writer) => {
      natives(writer).nativeFrame(0x3000_0000, 5);
      writer.modules({ path: "/lib/late.so", bias: 0x1000_0000, segments: [[0, 0x1000]] });
      return writer.push(1).allocation(MALLOC, 0x1000, 8, 6);
    });
    expect(stack).toEqual(["a"]);
  });
});

describe("what cannot be read", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), "heapray-memray-"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test.each([
    [6, "memray 1.0;"],
    [11, "memray 1.11 to 1.18;"],
    [14, "a later memray;"],
    [3, "no known memray;"],
  ])("format %i: a sentence with what was found and what is supported", (version, by) => {
    const error = captureErrorOf(() => read(sample({ version }).bytes));
    expect(error.code).toBe("OTHER_VERSION");
    expect(error.message).toBe(
      `memray.bin is a memray capture of format ${version}, written by ${by} heapray reads the formats ` +
        "12 (memray 1.19) and 13 (memray 1.20): record it again with one of these, or read it with the memray that wrote it.",
    );
  });

  test("every prefix: the whole records before, or a sentence about the header", () => {
    const { bytes } = sample();
    const all = [...read(bytes).getAllocationRecords()].length;
    let before = 0;
    for (let length = 0; length < bytes.length; length++) {
      const prefix = bytes.subarray(0, length);
      let records: number;
      try {
        const reader = read(prefix);
        records = [...reader.getAllocationRecords()].length;
        expect(reader.metadata.complete).toBe(false);
      } catch (error) {
        expect(captureErrorOf(() => read(prefix)).code).toBe("NOT_A_CAPTURE");
        expect(before, String(error)).toBe(0);
        continue;
      }
      expect(records).toBeGreaterThanOrEqual(before);
      before = records;
    }
    expect(before).toBe(all);
  });

  test("a killed process leaves zeros behind, and half a record before them is no record", () => {
    const writer = new MemrayWriter().thread(1).code(1, "f", "a.py", 1, TWO_LINES).push(1);
    writer.allocation(MALLOC, 0x1000, 64);
    const before = writer.bytes.length;
    // The size's first byte says that more follow, which was not written.
    const whole = writer.allocation(MALLOC, 0x2000, 0x4000).bytes;
    const file = path.join(folder, "killed.bin");
    for (const length of [before, whole.length - 1, whole.length]) {
      writeFileSync(
        file,
        [whole.subarray(0, length), new Uint8Array(100_000)].reduce((a, b) => Buffer.concat([a, b]), Buffer.alloc(0)),
      );
      using reader = new FileReader(file);
      const sizes = [...reader.getAllocationRecords()].map(({ size }) => size);
      expect(sizes).toEqual(length === whole.length ? [64, 0x4000] : [64]);
      expect(reader.metadata.complete).toBe(false);
    }
  });

  test.each([
    ["an unknown record", (writer: MemrayWriter) => writer.byte(3), "3 is not the type of a record"],
    ["a call of unknown code", (writer: MemrayWriter) => writer.push(9), "code object 9 is used before it is defined"],
    ["a return too many", (writer: MemrayWriter) => writer.pop(2), "a function returns that was not called"],
    [
      "an unknown allocator",
      (writer: MemrayWriter) => writer.allocation(40, 0x1000, 1),
      "40 is not the number of an allocator",
    ],
  ])("%s is damage, and its place is told", (_, write, reason) => {
    const writer = new MemrayWriter().thread(1).code(1, "f", "a.py", 1, TWO_LINES).push(1);
    const at = writer.bytes.length;
    const { bytes } = write(writer);
    const error = captureErrorOf(() => [...read(bytes).getAllocationRecords()]);
    expect([error.code, error.offset]).toEqual(["CORRUPT", at]);
    expect(error.message).toContain(`memray.bin is damaged at byte ${at}: ${reason}`);
  });

  test("an aggregated capture without its end has no data", () => {
    const { bytes } = new MemrayWriter({ aggregated: true });
    expect(captureErrorOf(() => read(bytes).metadata.peakMemory).code).toBe("NO_DATA");
  });
});

describe("compressed with LZ4", () => {
  const contents = { small: sample().bytes, large: large().bytes };

  function large(): MemrayWriter {
    const writer = new MemrayWriter().thread(1);
    for (let i = 1; i <= 50; i++) writer.code(i, `function_${i}`, `/app/module_${i % 7}.py`, i, TWO_LINES);
    for (let i = 0; i < 6000; i++) {
      writer
        .push(1 + ((i * i) % 50))
        .allocation(MALLOC, 0x7f00_0000_0000 + ((i * 7919) % 65_536) * 16, (i * 31) % 5000);
      writer.pop();
    }
    return writer.end();
  }

  test.each([
    ["small", {}],
    ["large", {}],
    ["large", { blockBytes: 1000 }],
    ["large", { stored: true }],
    ["large", { blockChecksums: true, contentChecksum: true, contentSize: true }],
  ] as const)("%s content, %o", (name, options) => {
    const bytes = contents[name];
    expect(peakOf(read(lz4Frame(bytes, options)))).toEqual(peakOf(read(bytes)));
  });

  test("several frames, and one of something else between them", () => {
    const { small } = contents;
    const other = Uint8Array.of(0x52, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 9, 9, 9);
    const frames = Buffer.concat([lz4Frame(small.subarray(0, 50)), other, lz4Frame(small.subarray(50))]);
    expect(peakOf(read(frames))).toEqual(peakOf(read(small)));
  });

  test("cut anywhere, it is read as far as its last whole block", () => {
    const packed = lz4Frame(contents.large, { blockBytes: 4000 });
    const all = [...read(packed).getAllocationRecords()].length;
    let before = -1;
    for (const part of [0.1, 0.35, 0.6, 0.8, 0.99]) {
      const reader = read(packed.subarray(0, Math.floor(packed.length * part)));
      const found = [...reader.getAllocationRecords()].length;
      expect(found).toBeGreaterThan(before);
      expect(reader.metadata.complete).toBe(false);
      before = found;
    }
    expect(before).toBeLessThan(all);
  });

  test("something else that is compressed with LZ4 is no capture", () => {
    const text = new TextEncoder().encode("not a capture at all");
    expect(captureErrorOf(() => read(lz4Frame(text))).message).toBe(
      "memray.bin is compressed with LZ4, and no capture that memray wrote; give a capture.",
    );
  });

  test("a damaged block is told of with its place in the file", () => {
    const packed = lz4Frame(contents.large, { blockBytes: 4000 });
    // A repetition of what lies before the beginning.
    packed.set([0x0f, 0xff, 0xff, 0xff], 11);
    const error = captureErrorOf(() => read(packed));
    expect([error.code, error.offset]).toEqual(["CORRUPT", 7]);
    expect(error.message).toContain("a block does not unpack");
  });
});
