import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { FileReader } from "../../src/analysis/file-reader.js";
import type { AllocationRecord } from "../../src/capture/records.js";
import { AllocatorType } from "../../src/capture/wire.js";
import { root, temporaryFolder } from "../support/heapray.js";
import { testProgram } from "./test-programs.js";

// docs/capture-format.md, the agent's writer and the reader hold together here: whoever changes one sees this fail.
const GOLDEN = { all: "golden-capture.hex", aggregated: "golden-aggregated.hex" };

describe("the capture that the agent's writer writes", () => {
  const folder = temporaryFolder();
  const capture = folder.join("golden.bin");

  afterAll(() => folder.remove());

  for (const [format, golden] of Object.entries(GOLDEN)) {
    for (const sink of ["mapped", "buffered"]) {
      it(`is the same to the byte as in format 2 (${format}, ${sink})`, () => {
        expect(spawnSync(testProgram("golden_capture"), [capture, sink, format]).status).toBe(0);
        const written = readFileSync(capture).toString("hex").replace(/.{64}/g, "$&\n").trim();
        expect(written).toBe(readFileSync(path.join(root, "test/native", golden), "utf8").trim());
      });
    }
  }

  it("is read as what was written", () => {
    expect(spawnSync(testProgram("golden_capture"), [capture, "mapped", "all"]).status).toBe(0);
    using reader = new FileReader(capture, { sourceMaps: false });
    expect(reader.metadata).toMatchObject({
      pid: 42,
      cwd: "/app",
      complete: true,
      endTimeMs: 1013,
      totalAllocations: 12,
    });

    const main = "<module> /app/main.ts:1:1";
    const inlined = `inner node:buffer:30:7 | outer /app/main.ts:12:5 | ${main}`;
    const deepest = `naïve 😀 /app/main.ts:300:80 | ${inlined}`;
    const native = `foo::bar /app/libfoo.so.1:0:0 | 0x7f9000000123 <native>:0:0 | 0x1234 in addon.node /app/addon.node:0:0 | ${main}`;
    const events = [...reader.getAllocationRecords()].map((record) => {
      const stack = record.stackTrace().map((f) => `${f.function} ${f.file}:${f.line}:${f.column}`);
      return [
        AllocatorType[record.allocator],
        record.address,
        record.size,
        record.tid,
        record.threadName,
        stack.join(" | "),
      ];
    });
    expect(events).toEqual([
      ["MALLOC", 0x7f0000001000, 100, 42, "MainThread", main],
      ["CALLOC", 0x7f0000001040, 100, 42, "MainThread", inlined],
      ["MALLOC", 0x7f0000001080, 100, 42, "MainThread", inlined],
      ["FREE", 0x7f0000001080, 0, 42, "MainThread", ""],
      ["MALLOC", 0x7f0000001080, 100, 42, "MainThread", inlined],
      ["POSIX_MEMALIGN", 0x5550, 4096, 43, "renamed", ""],
      ["ALIGNED_ALLOC", 0x5551, 1, 43, "renamed", ""],
      ["FREE", 0x7f0000001040, 0, 42, "MainThread", ""],
      ["REALLOC", 0x7f0000002000, 5_000_000_000, 42, "MainThread", deepest],
      ["MMAP", 0x7f1000000000, 65536, 42, "MainThread", deepest],
      ["MUNMAP", 0x7f1000004000, 16384, 42, "MainThread", ""],
      ["HEAP_PAGES", 0x100000, 262144, 42, "MainThread", main],
      ["MUNMAP", 0x100000, 262144, 42, "MainThread", ""],
      ["MALLOC", 0x7f0000003000, 300, 42, "MainThread", native],
      ["JS_OBJECT", 0x8001, 16391, 42, "MainThread", main],
      ["JS_OBJECT", 0x8002, 24, 42, "MainThread", native],
      ["FREE", 0x8002, 0, 42, "MainThread", ""],
      ["FREE", 0xdead0, 0, 43, "renamed", ""],
    ]);

    const live = 100 + 100 + 4096 + 1 + 5_000_000_000 + 65536 - 16384 + 300 + 16391;
    expect(reader.metadata.peakMemory).toBe(live - 300 - 16391 + 262144);
    expect([...reader.getMemorySnapshots()]).toEqual([
      { timeMs: 0, rss: 1 << 20, heapUsed: 2000, heapCommitted: 4000, external: 100, tracked: 0 },
      {
        ...{ timeMs: 12, rss: 1 << 21, heapUsed: 2000, heapCommitted: 4000, external: 100, tracked: live },
        resident: {
          ...{ rss: 2_100_000, files: 1_000_000, stacks: 200_000, v8Heap: 6000, heapray: 30_000, mapped: 4000 },
          ...{ arenas: 800_000, other: 60_000, inUseInArenas: 700_000, largeBlocks: 50_000 },
        },
      },
    ]);
  });

  it("is read as the same sums, single or aggregated", () => {
    const read = (format: string) => {
      expect(spawnSync(testProgram("golden_capture"), [capture, "mapped", format]).status).toBe(0);
      using reader = new FileReader(capture, { sourceMaps: false });
      const held = (records: Iterable<AllocationRecord>) =>
        [...records].map((r) => [
          AllocatorType[r.allocator],
          r.nAllocations,
          r.size,
          r.tid,
          r.threadName,
          r.stackTrace().map((f) => `${f.function} ${f.file}:${f.line}:${f.column}`),
        ]);
      const { fileFormat, complete, endTimeMs, totalAllocations, peakMemory } = reader.metadata;
      return {
        fileFormat,
        totals: { complete, endTimeMs, totalAllocations, peakMemory },
        peak: held(reader.getHighWatermarkAllocationRecords({ mergeThreads: false })),
        leaks: held(reader.getLeakedAllocationRecords({ mergeThreads: false })),
        snapshots: [...reader.getMemorySnapshots()],
      };
    };
    const all = read("all");
    expect(all.fileFormat).toBe("ALL_ALLOCATIONS");
    expect(all.peak).toHaveLength(7);
    expect(all.leaks).toHaveLength(8);
    expect(read("aggregated")).toEqual({ ...all, fileFormat: "AGGREGATED_ALLOCATIONS" });
  });
});
