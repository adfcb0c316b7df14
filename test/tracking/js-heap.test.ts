import { readFileSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FileReader } from "../../src/analysis/file-reader.js";
import type { AllocationRecord } from "../../src/capture/records.js";
import { AllocatorType } from "../../src/capture/wire.js";
import { type Folder, heapray, node, root, temporaryFolder } from "../support/heapray.js";
import { nodeVersions } from "../support/node-versions.js";
import { program } from "./truth.js";

let folder: Folder;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.remove());

const FINE = { status: 0, signal: null, stdout: "", stderr: "" };
const CJS = path.join(root, "dist/index.cjs");

interface Sum {
  bytes: number;
  count: number;
}

/** Objects of the JavaScript heap, added up by what `keyOf` says of them; `undefined` leaves them out. */
function objects(
  records: Iterable<AllocationRecord>,
  keyOf: (record: AllocationRecord) => string | undefined,
): Record<string, Sum> {
  const sums: Record<string, Sum> = {};
  for (const record of records) {
    if (record.allocator !== AllocatorType.JS_OBJECT) continue;
    const key = keyOf(record);
    if (key === undefined) continue;
    sums[key] ??= { bytes: 0, count: 0 };
    sums[key].bytes += record.size;
    sums[key].count += record.nAllocations;
  }
  return sums;
}

/** The innermost of these functions on the record's stack. */
const under =
  (...functions: string[]) =>
  (record: AllocationRecord) =>
    record.stackTrace().find((frame) => functions.includes(frame.function))?.function;

/** The text of the innermost line of a program. */
function lineOf(file: string): (record: AllocationRecord) => string | undefined {
  const source = readFileSync(program(file), "utf8").split("\n");
  return (record) => {
    const innermost = record.stackTrace().find((frame) => frame.file.endsWith(file));
    return innermost && source[innermost.line - 1]?.trim();
  };
}

/** 10,000 closures of 56 bytes; V8 may add a cell of its own for all of them. */
function expectClosures(sum: Sum | undefined): void {
  expect(sum?.count).toBeGreaterThanOrEqual(10_000);
  expect(sum?.count).toBeLessThanOrEqual(10_001);
  expect(sum?.bytes).toBeGreaterThanOrEqual(560_000);
  expect(sum?.bytes).toBeLessThanOrEqual(560_024);
}

const bytesOf = (sums: Record<string, Sum>) =>
  Object.fromEntries(Object.entries(sums).map(([key, { bytes }]) => [key, bytes]));

describe.each(nodeVersions)("on $name", ({ path: binary }) => {
  const capture = () => folder.join("capture.bin");
  const run = (flags: readonly string[], file: string, ...args: string[]) =>
    heapray(["run", "-q", "-o", capture(), "--node-arg=--expose-gc", ...flags, program(file), ...args], {
      node: binary,
    });

  test("every object, to the byte and to the line, when each one is sampled", () => {
    expect(run(["--js-heap-interval", "1"], "js-objects.cjs")).toEqual(FINE);
    using reader = new FileReader(capture());
    expect(reader.metadata.traceJsHeap).toBe(1);
    const sums = objects(reader.getLeakedAllocationRecords(), lineOf("js-objects.cjs"));
    for (const line of ["kept[at++] = () => kept;", "kept[at++] = () => i;"]) expectClosures(sums[line]);
    // A typed array on V8's heap: the array, its buffer and its elements.
    const typed = sums["kept[at++] = new Float64Array(3);"] ?? { bytes: 0, count: 0 };
    expect(typed.count).toBeGreaterThanOrEqual(20_000);
    expect(typed.bytes / 10_000).toBeGreaterThan(200);
    expect(typed.bytes / 10_000).toBeLessThan(300);

    // Wherever V8 inlines it to, an object belongs to the whole chain of calls. (V8's own notes on the functions count with them.)
    const chain = ["makePair", "inlined", "<module>"];
    const pairs = objects(reader.getLeakedAllocationRecords(), (record) => {
      const names = record.stackTrace().map((frame) => frame.function);
      const from = names.indexOf("makePair");
      return from < 0 ? undefined : names.slice(from, from + 3).join();
    });
    expect(Object.keys(pairs)).toEqual([chain.join()]);
    expect(pairs[chain.join()]?.count).toBeGreaterThanOrEqual(10_000);
    expect(pairs[chain.join()]?.bytes).toBeGreaterThanOrEqual(400_000);
    expect(pairs[chain.join()]?.bytes).toBeLessThan(410_000);
  });

  test("what is held, within 5% of heapUsed's growth, at the default interval", () => {
    const growthFile = folder.join("growth.json");
    expect(run(["--trace-js-heap"], "js-held.cjs", growthFile)).toEqual(FINE);
    const { grown } = JSON.parse(readFileSync(growthFile, "utf8")) as { grown: number };
    using reader = new FileReader(capture());
    expect(reader.metadata).toMatchObject({ complete: true, traceJsHeap: 16384 });
    const held = bytesOf(objects(reader.getLeakedAllocationRecords(), under("hold", "pass")));
    // What was dropped and collected is no leak (but for what V8 keeps of the function itself).
    expect((held.pass ?? 0) / grown).toBeLessThan(0.002);
    expect((held.hold ?? 0) / grown).toBeGreaterThan(0.95);
    expect((held.hold ?? 0) / grown).toBeLessThan(1.05);
    // It counts at the peak; if that was sooner, with what was passed by and not collected yet.
    const peak = bytesOf(objects(reader.getHighWatermarkAllocationRecords(), under("hold", "pass")));
    expect((peak.hold ?? 0) + (peak.pass ?? 0)).toBeGreaterThan(0.95 * (held.hold ?? 0));
    expect(Math.max(...[...reader.getMemorySnapshots()].map(({ tracked }) => tracked))).toBeGreaterThan(0.9 * grown);
    // Nothing counts twice: the pages are not recorded. (Without it they are.)
    const allocators = () => {
      using again = new FileReader(capture());
      return new Set([...again.getAllocationRecords()].map(({ allocator }) => AllocatorType[allocator]));
    };
    expect(allocators()).not.toContain("HEAP_PAGES");
    expect(allocators()).toContain("JS_OBJECT");
    expect(run(["-f"], "js-held.cjs", growthFile)).toEqual(FINE);
    expect(allocators()).toContain("HEAP_PAGES");
    expect(allocators()).not.toContain("JS_OBJECT");
  });

  test("an aggregated run has the figures of a run of every allocation", () => {
    for (const flags of [[], ["--aggregate"]]) {
      expect(run(["-f", "--js-heap-interval", "1", ...flags], "js-objects.cjs")).toEqual(FINE);
      using reader = new FileReader(capture());
      for (const records of [reader.getLeakedAllocationRecords(), reader.getHighWatermarkAllocationRecords()]) {
        expectClosures(objects(records, lineOf("js-objects.cjs"))["kept[at++] = () => i;"]);
      }
    }
  });

  test("workers older and younger than the tracker, busy ones, and terminated ones", () => {
    expect(node([program("js-workers.cjs"), CJS, capture()], { node: binary })).toEqual(FINE);
    using reader = new FileReader(capture());
    expect(reader.metadata.complete).toBe(true);
    const names = under("idle", "busy", "young", "terminated");
    const all = bytesOf(objects(reader.getAllocationRecords(), names));
    const leaks = bytesOf(objects(reader.getLeakedAllocationRecords(), names));
    expect(Object.keys(all).sort()).toEqual(["busy", "idle", "terminated", "young"]);
    expect(all.terminated ?? 0).toBeGreaterThan(5_500_000);
    // A terminated worker's objects end with it.
    expect(Object.keys(leaks).sort()).toEqual(["busy", "idle", "young"]);
    // Each holds 71,429 closures of 56 bytes, their contexts, and the array they are in.
    for (const bytes of Object.values(leaks)) {
      expect(bytes).toBeGreaterThan(5_500_000);
      expect(bytes).toBeLessThan(10_000_000);
    }
    const threads = new Set<number>();
    for (const record of reader.getLeakedAllocationRecords({ mergeThreads: false })) {
      if (record.allocator === AllocatorType.JS_OBJECT && names(record) !== undefined) {
        expect(record.threadName).toBe("WorkerThread");
        threads.add(record.tid);
      }
    }
    expect(threads.size).toBe(3);
  });

  test("starts and stops many times, and leaves nothing behind", () => {
    const script = folder.write(
      "cycles.cjs",
      `const { Tracker } = require(${JSON.stringify(CJS)});
       const { unlinkSync } = require("node:fs");
       function cycle(i, interval) {
         const tracker = new Tracker("cycle.bin", { traceJsHeap: interval });
         const objects = [];
         for (let j = 0; j < 1000; j++) objects.push({ i, j });
         tracker.stop();
         if (i < 119) unlinkSync("cycle.bin");
       }
       for (let i = 0; i < 120; i++) cycle(i, i % 3 === 0 ? false : 64 * (i % 3));
       // The profiler is free for the program again.
       const { Session } = require("node:inspector");
       const session = new Session();
       session.connect();
       session.post("HeapProfiler.startSampling", { samplingInterval: 64 });
       const kept = (globalThis.kept = []);
       for (let j = 0; j < 100_000; j++) kept.push({ j });
       session.post("HeapProfiler.stopSampling", (error, { profile }) => {
         console.log(JSON.stringify({ samples: profile.samples.length > 10_000 }));
       });`,
    );
    const { stdout, ...ended } = node([script], { node: binary, cwd: folder.path });
    expect(ended).toEqual({ status: 0, signal: null, stderr: "" });
    expect(JSON.parse(stdout)).toEqual({ samples: true });
    using reader = new FileReader(folder.join("cycle.bin"));
    expect(reader.metadata).toMatchObject({ complete: true, traceJsHeap: 128 });
    const { cycle } = bytesOf(objects(reader.getLeakedAllocationRecords(), under("cycle")));
    // 1000 objects of 40 bytes or a little more, and the array.
    expect(cycle ?? 0).toBeGreaterThan(30_000);
    expect(cycle ?? 0).toBeLessThan(100_000);
  });

  test("V8's heap limit: the capture names the line that leaked", () => {
    const { status, signal } = run(["--trace-js-heap", "--node-arg=--max-old-space-size=32"], "js-heap-limit.cjs");
    expect({ status, signal }).toEqual({ status: null, signal: "SIGABRT" });
    using reader = new FileReader(capture());
    const lines = objects(reader.getHighWatermarkAllocationRecords(), lineOf("js-heap-limit.cjs"));
    const [largest] = Object.entries(lines).sort(([, a], [, b]) => b.bytes - a.bytes);
    expect(largest?.[0]).toBe("{ request, seen: [i, i, i, i, i, i, i, i, i, i, i, i, i, i, i, i] },");
    // Far more than half of the heap's 32 MiB, and in functions of the program.
    const { serve } = bytesOf(objects(reader.getHighWatermarkAllocationRecords(), under("serve")));
    expect(serve ?? 0).toBeGreaterThan(20_000_000);
  });

  test("a program that uses V8's sampling heap profiler itself keeps it, and is told", () => {
    const script = folder.write(
      "own.cjs",
      `const { Session } = require("node:inspector");
       const session = new Session();
       session.connect();
       session.post("HeapProfiler.startSampling", { samplingInterval: 64 });
       const { Tracker } = require(${JSON.stringify(CJS)});
       const tracker = new Tracker("own.bin", { traceJsHeap: true });
       const kept = (globalThis.kept = [Buffer.alloc(100_003)]);
       for (let j = 0; j < 100_000; j++) kept.push({ j });
       tracker.stop();
       session.post("HeapProfiler.stopSampling", (error, { profile }) => {
         console.log(JSON.stringify({ samples: profile.samples.length > 10_000 }));
       });`,
    );
    const { stdout, stderr, status } = node([script], { node: binary, cwd: folder.path });
    expect({ status, stdout: stdout.trim() }).toEqual({ status: 0, stdout: '{"samples":true}' });
    expect(stderr).toMatch(
      /HeaprayWarning: JavaScript objects cannot be recorded in Node\.js v[\d.]+: the program uses V8's sampling heap profiler itself; the heap's pages are instead\.\n/,
    );
    using reader = new FileReader(folder.join("own.bin"));
    const sizes = [...reader.getLeakedAllocationRecords()].filter(({ allocator }) => allocator !== 33);
    expect(sizes.some(({ size }) => size >= 100_003)).toBe(true);
    expect(objects(reader.getLeakedAllocationRecords(), () => "any")).toEqual({});
  });
});

test("refuses what is no interval", () => {
  for (const bytes of ["0", "1.5", "many", String(2 ** 31)]) {
    const ended = heapray(["run", "--js-heap-interval", bytes, "script.js"], { cwd: folder.path });
    expect(ended).toMatchObject({ status: 1, stdout: "" });
    expect(ended.stderr).toContain("Give a whole number of bytes, from 1 to 1 GiB");
  }
});
