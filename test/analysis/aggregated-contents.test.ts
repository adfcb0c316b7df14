import { describe, expect, it } from "vitest";
import type { AllocationRecord } from "../../src/capture/records.js";
import { AllocatorType } from "../../src/capture/wire.js";
import { captureErrorOf } from "../support/capture-errors.js";
import { AGGREGATED_HEADER, CaptureWriter } from "../support/capture-writer.js";
import { readerOf } from "../support/memory-reader.js";

const { MALLOC, CALLOC, FREE, MMAP } = AllocatorType;

function definitions(): CaptureWriter {
  const writer = new CaptureWriter(AGGREGATED_HEADER).thread(1, 4711, "main").thread(2, 4720, "pool");
  writer.snapshot(10, 5000, 100, 200, 30, 700);
  writer.stack("main@/srv/app/main.js:3:1", "load@/srv/app/load.js:10:5");
  return writer.snapshot(20, 6000, 110, 200, 30, 300);
}

function program(): CaptureWriter {
  return definitions()
    .location(1, 2, MALLOC, [3, 600, 1, 100])
    .location(2, 2, MALLOC, [1, 50, 0, 0])
    .location(2, 0, MMAP, [0, 0, 2, 8192]);
}

const whole = () =>
  program()
    .totals(12, 99_000)
    .trailer(AGGREGATED_HEADER.startTimeMs + 25)
    .finish();

const summary = (records: Iterable<AllocationRecord>) =>
  [...records].map((r) => [r.tid, r.threadName, AllocatorType[r.allocator], r.nAllocations, r.size, r.address]);

describe("a reader of an aggregated capture", () => {
  it("has the metadata", () => {
    expect(readerOf(whole()).metadata).toEqual({
      ...AGGREGATED_HEADER,
      fileFormat: "AGGREGATED_ALLOCATIONS",
      hasNativeTraces: false,
      traceJsHeap: false,
      tracePythonAllocators: false,
      complete: true,
      endTimeMs: AGGREGATED_HEADER.startTimeMs + 25,
      totalAllocations: 12,
      peakMemory: 650,
    });
  });

  it("gives the high-water mark and the leaks, by thread or merged", () => {
    const reader = readerOf(whole());
    expect(summary(reader.getHighWatermarkAllocationRecords({ mergeThreads: false }))).toEqual([
      [4711, "main", "MALLOC", 3, 600, 0],
      [4720, "pool", "MALLOC", 1, 50, 0],
    ]);
    expect(summary(reader.getHighWatermarkAllocationRecords())).toEqual([[0, "merged thread", "MALLOC", 4, 650, 0]]);
    expect(summary(reader.getLeakedAllocationRecords({ mergeThreads: false }))).toEqual([
      [4711, "main", "MALLOC", 1, 100, 0],
      [4720, "pool", "MMAP", 2, 8192, 0],
    ]);
    const [record] = reader.getLeakedAllocationRecords();
    expect(record?.stackTrace().map((frame) => frame.function)).toEqual(["load", "main"]);
  });

  it("gives the snapshots with what was tracked then", () => {
    expect([...readerOf(whole()).getMemorySnapshots()].map((s) => [s.timeMs, s.rss, s.tracked])).toEqual([
      [10, 5000, 700],
      [20, 6000, 300],
    ]);
  });

  it("refuses single allocations, and says why and what to do", () => {
    const error = captureErrorOf(() => readerOf(whole()).getAllocationRecords());
    expect(error.code).toBe("AGGREGATED");
    expect(error.message).toMatch(
      /^test\.bin is an aggregated capture, which keeps no single allocations; .*ALL_ALLOCATIONS/,
    );
  });

  it.each([
    ["before its sums", () => definitions().finish()],
    ["amid its sums", () => program().finish()],
    ["before its trailer", () => program().totals(12, 99_000).finish()],
    ["without totals", () => program().trailer(AGGREGATED_HEADER.startTimeMs).finish()],
    ["amid a location", () => whole().slice(0, program().finish().length - 3)],
  ])("has no data where the capture ends %s, and says so", (_, bytes) => {
    const reader = readerOf(bytes());
    for (const ask of [
      () => reader.getHighWatermarkAllocationRecords(),
      () => [...reader.getHighWatermarkAllocationRecords()],
      () => [...reader.getLeakedAllocationRecords()],
      () => reader.metadata.peakMemory,
      () => reader.metadata.totalAllocations,
    ]) {
      const error = captureErrorOf(() => [...[ask()]].map((it) => (typeof it === "object" ? [...it] : it)));
      expect([error.code, error.message]).toEqual([
        "NO_DATA",
        expect.stringMatching(/^test\.bin has no data: the process ended before tracking did, /),
      ]);
    }
    // What streamed is there.
    expect([...reader.getMemorySnapshots()]).toHaveLength(2);
  });

  it("tells that the process was killed, and when", () => {
    const { complete, endTimeMs } = readerOf(definitions().finish()).metadata;
    expect([complete, endTimeMs]).toEqual([false, AGGREGATED_HEADER.startTimeMs + 20]);
  });

  it.each([
    ["an undefined thread", () => program().location(3, 0, MALLOC, [1, 1, 1, 1]), /thread 3 is used before/],
    ["an undefined node", () => program().location(1, 3, MALLOC, [1, 1, 1, 1]), /stack node 3 is used before/],
    ["an allocator that frees", () => program().location(1, 0, FREE, [1, 1, 1, 1]), /5 is not the number of an alloc/],
    ["no allocator", () => program().location(1, 0, 0, [1, 1, 1, 1]), /0 is not the number of an allocator/],
    ["figures beyond reason", () => program().location(1, 0, CALLOC, [1, 2 ** 60, 1, 1]), /more than memory can/],
    ["a short location", () => program().extended(3, Uint8Array.of(1, 0, 6, 1)), /a location is too short/],
    ["short totals", () => program().extended(4, Uint8Array.of(200)), /its totals are too short/],
    ["single allocations", () => program().switchTo(1).malloc(0, 8, 0x1000), /it holds single allocations/],
  ])("notices %s", (_, writer, sentence) => {
    const reader = readerOf(writer().totals(1, 1).trailer(0).finish());
    const error = captureErrorOf(() => reader.metadata.peakMemory);
    expect([error.code, error.message]).toEqual(["CORRUPT", expect.stringMatching(sentence)]);
  });
});
