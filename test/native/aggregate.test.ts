import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CaptureReader } from "../../src/analysis/capture-reader.js";
import { FileReader } from "../../src/analysis/file-reader.js";
import { AllocatorType } from "../../src/capture/wire.js";
import { type Folder, heapray, temporaryFolder } from "../support/heapray.js";
import { PAGE, type Step } from "../support/memory-model.js";
import { readerOf } from "../support/memory-reader.js";
import { longRun, RANGES_AT, randomSteps, STACKS, THREADS, usageOf, write } from "../support/memory-steps.js";
import { SANITIZE, testProgram } from "./test-programs.js";

// The agent's aggregation against the analysis of the same records one by one.

let folder: Folder;
beforeAll(() => {
  folder = temporaryFolder();
});
afterAll(() => folder.remove());

interface Sizes {
  readonly threads: number;
  readonly stacks: number;
  /** How many locations there are before the agent looks for empty ones. */
  readonly firstSweep: number;
}

/** Has the agent aggregate the calls (native/test/aggregate_driver.cc). */
function aggregate(calls: readonly string[], { threads, stacks, firstSweep }: Sizes): FileReader {
  const capture = folder.join("aggregated.bin");
  const args = [capture, String(threads), String(stacks), String(firstSweep)];
  const ended = spawnSync(testProgram("aggregate_driver"), args, { input: calls.join("\n"), encoding: "utf8" });
  expect(ended).toMatchObject({ status: 0, stderr: "" });
  return new FileReader(capture);
}

function callOf(step: Step): string {
  switch (step.do) {
    case "allocate":
      return `a ${step.thread} ${step.stack} ${step.allocator} ${step.address} ${step.size}`;
    case "free":
      return `f ${step.address}`;
    case "map": {
      const allocator = step.heapPages ? AllocatorType.HEAP_PAGES : AllocatorType.MMAP;
      return `a ${step.thread} ${step.stack} ${allocator} ${RANGES_AT + step.page * PAGE} ${step.pages * PAGE}`;
    }
    case "unmap":
      return `u ${RANGES_AT + step.page * PAGE} ${step.pages * PAGE}`;
    case "snapshot":
      return "s";
  }
}

function findings(reader: CaptureReader, threadOf?: (tid: number) => number) {
  const { peakMemory, totalAllocations } = reader.metadata;
  return {
    peakMemory,
    totalAllocations,
    peak: usageOf(reader.getHighWatermarkAllocationRecords({ mergeThreads: false }), threadOf),
    leaks: usageOf(reader.getLeakedAllocationRecords({ mergeThreads: false }), threadOf),
    tracked: [...reader.getMemorySnapshots()].map((snapshot) => snapshot.tracked),
  };
}

const sizes = { threads: THREADS, stacks: STACKS };

describe("the agent's aggregation", () => {
  it("finds what the analysis finds in the same records", () => {
    fc.assert(
      fc.property(randomSteps, fc.constantFrom(1, 4096), (steps, firstSweep) => {
        using aggregated = aggregate(steps.map(callOf), { ...sizes, firstSweep });
        expect(findings(aggregated)).toEqual(findings(readerOf(write(steps))));
      }),
      { numRuns: 150 },
    );
  });

  it("finds it on a long run with many live blocks", () => {
    const steps = longRun();
    using aggregated = aggregate(steps.map(callOf), { ...sizes, firstSweep: 4096 });
    expect(findings(aggregated)).toEqual(findings(readerOf(write(steps))));
  });

  it("keeps the order in which locations appeared", () => {
    const order = (reader: CaptureReader) =>
      [...reader.getHighWatermarkAllocationRecords({ mergeThreads: false })].map((r) => r.stackId);
    const steps = [3, 1, 4, 2].map(
      (stack, i): Step => ({
        do: "allocate",
        thread: 1,
        stack,
        allocator: AllocatorType.MALLOC,
        size: 8,
        address: 64 + i,
      }),
    );
    using aggregated = aggregate(steps.map(callOf), { ...sizes, firstSweep: 1 });
    expect(order(aggregated)).toEqual([3, 1, 4, 2]);
    expect(order(readerOf(write(steps)))).toEqual([3, 1, 4, 2]);
  });

  // Sanitizers need address space without end.
  it.skipIf(SANITIZE !== "")("does not grow with threads that come and go", () => {
    const threads = 30_000;
    const calls: string[] = [];
    for (let thread = 1; thread <= threads; thread++) {
      for (let stack = 1; stack <= 20; stack++) calls.push(`a ${thread} ${stack} 6 ${stack * 64} 100`);
      for (let stack = 1; stack <= 20; stack++) calls.push(`f ${stack * 64}`);
    }
    // Every location would take 72 bytes: 43 MB, where 4,096 of them take 0.3.
    const limited = `ulimit -v 60000; exec "${testProgram("aggregate_driver")}" "${folder.join("threads.bin")}" ${threads} 20 4096`;
    const ended = spawnSync("bash", ["-c", limited], { input: calls.join("\n"), encoding: "utf8" });
    expect(ended).toMatchObject({ status: 0, stderr: "" });
    using reader = new FileReader(folder.join("threads.bin"));
    expect(reader.metadata).toMatchObject({ peakMemory: 2000, totalAllocations: threads * 20 });
    const peak = usageOf(reader.getHighWatermarkAllocationRecords({ mergeThreads: false }));
    expect(Object.keys(peak)).toEqual(Array.from({ length: 20 }, (_, i) => `1:${i + 1}:MALLOC`));
  });

  it("finds what the analysis finds in a real program's records", () => {
    const script = folder.write(
      "real.cjs",
      `const { gzipSync, createGzip } = require("node:zlib");
       const { Worker } = require("node:worker_threads");
       const kept = [];
       for (let i = 0; i < 300; i++) {
         const text = JSON.stringify(Array.from({ length: 500 }, (_, n) => ({ n, i })));
         const small = gzipSync(text);
         if (i % 5 === 0) kept.push(Buffer.from(text), small);
       }
       for (let i = 0; i < 3; i++) new Worker("new Array(1e5).fill(0).map((_, i) => Buffer.alloc(50))", { eval: true });
       createGzip().end(Buffer.alloc(1e6)).resume();`,
    );
    const capture = folder.join("real.bin");
    expect(heapray(["run", "-q", "-f", "-o", capture, script])).toMatchObject({ status: 0, stderr: "" });
    using single = new FileReader(capture, { sourceMaps: false });
    const calls: string[] = [];
    const threads = new Map<number, number>();
    let stacks = 0;
    for (const { tid, stackId, allocator, address, size } of single.getAllocationRecords()) {
      if (!threads.has(tid)) threads.set(tid, threads.size + 1);
      stacks = Math.max(stacks, stackId);
      if (allocator === AllocatorType.FREE) calls.push(`f ${address}`);
      else if (allocator === AllocatorType.MUNMAP) calls.push(`u ${address} ${size}`);
      else calls.push(`a ${threads.get(tid)} ${stackId} ${allocator} ${address} ${size}`);
    }
    expect(calls.length).toBeGreaterThan(10_000);
    expect(threads.size).toBeGreaterThan(4);
    using aggregated = aggregate(calls, { threads: threads.size, stacks, firstSweep: 64 });
    // The single records say nothing of snapshots, so the driver was told of none.
    const { tracked: none, ...found } = findings(aggregated);
    const { tracked: some, ...expected } = findings(single, (tid) => threads.get(tid) ?? 0);
    expect(found).toEqual(expected);
    expect([none.length, some.length > 0]).toEqual([0, true]);
  });
});
