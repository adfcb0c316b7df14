import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FileReader } from "../../src/analysis/file-reader.js";
import { CaptureError } from "../../src/capture/errors.js";
import type { AllocationRecord } from "../../src/capture/records.js";
import { AllocatorType } from "../../src/capture/wire.js";
import { CaptureWriter, HEADER } from "../support/capture-writer.js";
import { readerOf } from "../support/memory-reader.js";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "heapray-reader-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

function fileOf(bytes: Uint8Array, name = "test.bin"): string {
  const path = join(directory, name);
  writeFileSync(path, bytes);
  return path;
}

function codeOf(run: () => unknown): [string, string] {
  try {
    run();
  } catch (error) {
    if (error instanceof CaptureError) return [error.code, error.message];
    throw error;
  }
  throw new Error("nothing was thrown");
}

/** Two threads; 900 live bytes at the peak, 300 at the end. */
function program(): CaptureWriter {
  const writer = new CaptureWriter().thread(1, 4711, "node").thread(2, 4720, "libuv-worker");
  const load = writer.stack("main@file:///srv/app/main.js:3:1", "load@file:///srv/app/load.js:10:5");
  const parse = writer.stack("parse@/srv/app/parse.js:7:2");
  writer.switchTo(1).malloc(load, 500, 0x1000).malloc(load, 100, 0x2000).snapshot(10, 5000, 100, 200, 30);
  writer.switchTo(2).malloc(load, 200, 0x3000).allocation(AllocatorType.CALLOC, parse, 100, 0x4000);
  return writer.switchTo(1).free(0x1000).free(0x4000).snapshot(20, 4000, 90, 200, 30);
}

const summary = (records: Iterable<AllocationRecord>) =>
  [...records].map((r) => [r.tid, r.threadName, AllocatorType[r.allocator], r.nAllocations, r.size, r.address]);

describe("FileReader", () => {
  it("has the metadata", () => {
    using reader = new FileReader(
      fileOf(
        program()
          .trailer(HEADER.startTimeMs + 25)
          .finish(),
      ),
    );
    expect(reader.metadata).toEqual({
      ...HEADER,
      fileFormat: "ALL_ALLOCATIONS",
      hasNativeTraces: false,
      traceJsHeap: false,
      tracePythonAllocators: false,
      complete: true,
      endTimeMs: HEADER.startTimeMs + 25,
      totalAllocations: 4,
      peakMemory: 900,
    });
  });

  it("knows that the process was killed when there is no trailer", () => {
    using reader = new FileReader(fileOf(program().finish()));
    expect(reader.metadata).toMatchObject({ complete: false, endTimeMs: HEADER.startTimeMs + 20 });
  });

  it("gives the high-water mark by thread and with the threads merged", () => {
    using reader = new FileReader(fileOf(program().finish()));
    expect(summary(reader.getHighWatermarkAllocationRecords({ mergeThreads: false }))).toEqual([
      [4711, "node", "MALLOC", 2, 600, 0],
      [4720, "libuv-worker", "MALLOC", 1, 200, 0],
      [4720, "libuv-worker", "CALLOC", 1, 100, 0],
    ]);
    expect(summary(reader.getHighWatermarkAllocationRecords())).toEqual([
      [0, "merged thread", "MALLOC", 3, 800, 0],
      [0, "merged thread", "CALLOC", 1, 100, 0],
    ]);
  });

  it("gives the leaks", () => {
    using reader = new FileReader(fileOf(program().finish()));
    expect(summary(reader.getLeakedAllocationRecords({ mergeThreads: false }))).toEqual([
      [4711, "node", "MALLOC", 1, 100, 0],
      [4720, "libuv-worker", "MALLOC", 1, 200, 0],
    ]);
    expect(summary(reader.getLeakedAllocationRecords())).toEqual([[0, "merged thread", "MALLOC", 2, 300, 0]]);
  });

  it("gives every allocation and free in order", () => {
    using reader = new FileReader(fileOf(program().finish()));
    expect(summary(reader.getAllocationRecords())).toEqual([
      [4711, "node", "MALLOC", 1, 500, 0x1000],
      [4711, "node", "MALLOC", 1, 100, 0x2000],
      [4720, "libuv-worker", "MALLOC", 1, 200, 0x3000],
      [4720, "libuv-worker", "CALLOC", 1, 100, 0x4000],
      [4711, "node", "FREE", 1, 0, 0x1000],
      [4711, "node", "FREE", 1, 0, 0x4000],
    ]);
    const last = [...reader.getAllocationRecords()].at(-1);
    expect(last?.stackTrace()).toEqual([]);
  });

  it("gives memory over time with what was tracked", () => {
    using reader = new FileReader(fileOf(program().finish()));
    expect([...reader.getMemorySnapshots()]).toEqual([
      { timeMs: 10, rss: 5000, heapUsed: 100, heapCommitted: 200, external: 30, tracked: 600 },
      { timeMs: 20, rss: 4000, heapUsed: 90, heapCommitted: 200, external: 30, tracked: 300 },
    ]);
  });

  it("thins snapshots out evenly beyond the maximum", () => {
    const writer = new CaptureWriter();
    for (let i = 0; i < 1000; i++) writer.snapshot(i, i);
    const times = [...readerOf(writer.finish(), { maxMemorySnapshots: 100 }).getMemorySnapshots()].map((s) => s.timeMs);
    expect(times.length).toBeGreaterThan(50);
    expect(times.length).toBeLessThanOrEqual(100);
    expect(new Set(times.slice(1).map((time, i) => time - (times[i] as number)))).toEqual(new Set([16]));
    expect(readerOf(writer.finish(), { maxMemorySnapshots: 100 }).metadata.endTimeMs).toBe(HEADER.startTimeMs + 999);
  });

  it("gives stacks innermost first, as many frames as asked for", () => {
    using reader = new FileReader(fileOf(program().finish()));
    const [record] = reader.getHighWatermarkAllocationRecords();
    const load = { function: "load", file: "/srv/app/load.js", line: 10, column: 5 };
    const main = { function: "main", file: "/srv/app/main.js", line: 3, column: 1 };
    expect(record?.stackTrace()).toEqual([load, main]);
    expect(record?.stackTrace(1)).toEqual([load]);
    expect(record?.stackTrace(0)).toEqual([]);
  });

  it("unfolds inlined frames, and cuts between them where asked to", () => {
    const writer = new CaptureWriter();
    const script = writer.script("node:fs");
    const [f, g, h] = ["f", "g", "h"].map((name) => writer.function(name, script)) as [number, number, number];
    const root = writer.node(0, writer.frame({ function: h, line: 1 }));
    const node = writer.node(root, writer.frame({ function: f, line: 3 }, { function: g, line: 2 }));
    const reader = readerOf(writer.malloc(node, 1, 16).finish());
    const [record] = reader.getLeakedAllocationRecords();
    expect(record?.stackTrace().map((frame) => `${frame.function} ${frame.file}:${frame.line}`)).toEqual([
      "f node:fs:3",
      "g node:fs:2",
      "h node:fs:1",
    ]);
    expect(record?.stackTrace(1).map((frame) => frame.function)).toEqual(["f"]);
  });

  it("reads a capture of nothing", () => {
    using reader = new FileReader(fileOf(new CaptureWriter().finish()));
    expect(reader.metadata).toMatchObject({ peakMemory: 0, totalAllocations: 0, endTimeMs: HEADER.startTimeMs });
    for (const records of [reader.getHighWatermarkAllocationRecords(), reader.getAllocationRecords()]) {
      expect([...records]).toEqual([]);
    }
  });

  it("reports progress up to the file's size", () => {
    const writer = new CaptureWriter();
    for (let i = 0; i < 400_000; i++) writer.malloc(0, 100 + (i % 9), 0x10_0000 + i * 1024);
    const bytes = writer.finish();
    const seen: number[] = [];
    using reader = new FileReader(fileOf(bytes), {
      onProgress: (read, total) => {
        expect(total).toBe(bytes.length);
        seen.push(read);
      },
    });
    expect(reader.metadata.totalAllocations).toBe(400_000);
    expect(seen.length).toBeGreaterThan(1);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(seen.at(-1)).toBe(bytes.length);
  });

  it("says what is wrong with a path, at once", () => {
    const missing = join(directory, "missing.bin");
    expect(codeOf(() => new FileReader(missing))).toEqual([
      "UNREADABLE",
      `Cannot read ${missing}: there is no such file; check the path.`,
    ]);
    expect(codeOf(() => new FileReader(directory))[1]).toContain("it is a directory");
    expect(codeOf(() => new FileReader(fileOf(new Uint8Array(), "empty.bin")))[0]).toBe("NOT_A_CAPTURE");
    expect(codeOf(() => new FileReader(fileOf(Uint8Array.of(1, 2, 3), "other.bin")))[1]).toMatch(
      /other\.bin is not a heapray capture/,
    );
  });

  it("reports damage where it is, to every question that needs the whole capture", () => {
    const writer = program();
    const offset = writer.length;
    using reader = new FileReader(fileOf(writer.raw(0x10).finish()));
    expect(reader.metadata.pid).toBe(HEADER.pid);
    for (const ask of [() => reader.metadata.peakMemory, () => [...reader.getLeakedAllocationRecords()]]) {
      expect(codeOf(ask)[1]).toContain(`damaged at byte ${offset}`);
    }
    const read: AllocationRecord[] = [];
    expect(codeOf(() => read.push(...reader.getAllocationRecords()))[0]).toBe("CORRUPT");
  });

  it("answers nothing once it is closed", () => {
    const reader = new FileReader(fileOf(program().finish()));
    const [record] = reader.getHighWatermarkAllocationRecords();
    const running = reader.getAllocationRecords();
    running.next();
    reader.close();
    reader.close();
    expect(reader.closed).toBe(true);
    expect(codeOf(() => reader.getMemorySnapshots())[0]).toBe("CLOSED");
    expect(codeOf(() => reader.getAllocationRecords())[0]).toBe("CLOSED");
    expect(record?.stackTrace()).toHaveLength(2);
  });
});
