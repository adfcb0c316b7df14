import { copyFileSync, readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FileReader } from "../../src/analysis/file-reader.js";
import { EventBatch } from "../../src/capture/event-batch.js";
import type { AllocationRecord } from "../../src/capture/records.js";
import { AllocatorType, NUMBERED_VERSION, RECORDED_VERSION } from "../../src/capture/wire.js";
import { writeCsv } from "../../src/reporters/csv.js";
import type { NativeSymbols } from "../../src/symbols/native-symbols.js";
import { compressCaptureSync } from "../../src/tracker/compress-capture.js";
import { decode } from "../support/events.js";
import { type Folder, heapray, heaprayUntilReady, root, temporaryFolder } from "../support/heapray.js";
import { nodeVersions } from "../support/node-versions.js";
import { program } from "./truth.js";

let folder: Folder;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.remove());

const RANGES: readonly AllocatorType[] = [AllocatorType.MMAP, AllocatorType.HEAP_PAGES, AllocatorType.MUNMAP];

/** All that a record says of itself, but for its stack's frames. */
const told = ({ tid, threadName, allocator, size, stackId, nAllocations }: AllocationRecord) =>
  [tid, threadName, AllocatorType[allocator], size, stackId, nAllocations].join();

/** The single records, with the record that allocated what it frees in place of a block's address. */
function* singleRecords(reader: FileReader): Generator<string> {
  const live = new Map<number, number>();
  let index = 0;
  for (const record of reader.getAllocationRecords()) {
    const { address, allocator } = record;
    if (RANGES.includes(allocator)) {
      yield `${told(record)} at ${address}`;
    } else {
      const allocated = live.get(address);
      // Frees that have no effect are not kept, those that nobody saw are made up for.
      if (allocated !== undefined) yield `${record.tid} FREE of ${allocated}`;
      live.delete(address);
      if (allocator === AllocatorType.FREE) continue;
      live.set(address, index++);
      yield told(record);
    }
  }
}

/** Native frames by their addresses, which takes no time. */
const ADDRESSES: NativeSymbols = { lookUp: () => ({ functions: new Map() }), readable: (symbol) => symbol };

/** What a capture tells, in all ways that there are. */
function contents(file: string) {
  using reader = new FileReader(file, { sourceMaps: false, nativeSymbols: ADDRESSES });
  const stacks = (records: Iterable<AllocationRecord>) =>
    Array.from(records, (record) => `${told(record)} ${JSON.stringify(record.stackTrace())}`);
  const csv: string[] = [];
  writeCsv(reader.getHighWatermarkAllocationRecords(), (text) => csv.push(text));
  return {
    metadata: { ...reader.metadata },
    peak: stacks(reader.getHighWatermarkAllocationRecords({ mergeThreads: false })),
    leaked: stacks(reader.getLeakedAllocationRecords({ mergeThreads: false })),
    snapshots: [...reader.getMemorySnapshots()],
    csv: csv.join(""),
    records: [...singleRecords(reader)],
  };
}

/** Compresses a copy, and checks that it tells the same in format 3. */
function expectTheSameCompressed(file: string): void {
  const packed = folder.join("packed.bin");
  copyFileSync(file, packed);
  expect(compressCaptureSync(packed)).toBe(true);
  expect(readFileSync(file).readUInt32LE(8)).toBe(RECORDED_VERSION);
  expect(gunzipSync(readFileSync(packed)).readUInt32LE(8)).toBe(NUMBERED_VERSION);
  const before = contents(file);
  expect(before.records.length).toBeGreaterThan(1000);
  expect(contents(packed)).toEqual(before);
}

describe.each(nodeVersions)("a compressed capture on $name tells the same as before", ({ path: binary }) => {
  const on = () => ({ cwd: folder.path, node: binary });
  const run = (...args: string[]) => {
    const ended = heapray(["run", "-q", "--no-compress", "-o", folder.join("a.bin"), ...args], on());
    expect(ended).toMatchObject({ status: 0, stderr: "" });
    expectTheSameCompressed(folder.join("a.bin"));
  };

  test("with native frames, objects and workers", () => {
    run("--native", "--trace-js-heap", "--js-heap-interval", "4096", folder.write("objects.cjs", OBJECTS));
  });

  test("with threads", () => {
    run(program("workers.cjs"));
  });

  test("of a killed program", async () => {
    const script = folder.write(
      "wait.cjs",
      "const a = [Buffer.alloc(3e6)]; console.log('ready'); setInterval(() => a.push(Buffer.alloc(1e6)), 1)",
    );
    const ended = await heaprayUntilReady(
      ["run", "-q", "--no-compress", "-o", folder.join("a.bin"), script],
      (pid) => {
        const child = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ")[0];
        process.kill(Number(child), "SIGKILL");
      },
      on(),
    );
    expect(ended).toMatchObject({ signal: "SIGKILL" });
    expectTheSameCompressed(folder.join("a.bin"));
  });
});

test("a child's compressed capture tells the same as before", () => {
  const script = folder.write(
    "parent.cjs",
    `require("node:child_process").execFileSync(process.execPath, ["-e", "globalThis.b = Buffer.alloc(5e6)"]);`,
  );
  const args = ["run", "-q", "--no-compress", "--follow-fork", "-o", folder.join("a.bin"), script];
  expect(heapray(args, { cwd: folder.path })).toMatchObject({ status: 0, stderr: "" });
  const captures = readdirSync(folder.path).filter((name) => /^a\.bin/.test(name));
  expect(captures).toHaveLength(2);
  for (const capture of captures) expectTheSameCompressed(folder.join(capture));
});

/** Bytes of a capture that heapray run compressed, as a part of what it may take. */
function partOfBudget(file: string): number {
  const decoder = decode(gunzipSync(readFileSync(file)));
  const batch = new EventBatch();
  let records = 0;
  while (decoder.next(batch)) records += batch.length - batch.snapshots.length;
  expect(records).toBeGreaterThan(50_000);
  return statSync(file).size / (records + 2 * (decoder.tables.nodeParent.length - 1));
}

describe.each(nodeVersions)("on $name a compressed capture takes a byte a record and two a stack, of", ({ path }) => {
  test.each(["allocations in a loop", "deep and ever new stacks"])("%s", (name) => {
    const script = name.includes("loop") ? LOOP : folder.write("deep.cjs", DEEP);
    expect(heapray(["run", "-q", "-o", "a.bin", script], { cwd: folder.path, node: path })).toMatchObject({
      status: 0,
      stderr: "",
    });
    expect(partOfBudget(folder.join("a.bin"))).toBeLessThan(0.9);
  });
});

/** Objects that die and objects that stay, on two threads. */
const OBJECTS = `
const { isMainThread, Worker } = require("node:worker_threads");
globalThis.kept = [];
for (let i = 0; i < 20_000; i++) {
  const object = { a: new Array(50).fill(i), b: String(i) };
  if (i % 10 === 0) globalThis.kept.push(object);
}
if (isMainThread) new Worker(__filename);
`;

const LOOP = path.join(root, "bench/programs/allocation-loop.cjs");

/** A binary tree of calls, each of which allocates, and what it returns is held for a while. */
const DEEP = `
const held = [];
let n = 0;
function left(depth) { return walk(depth); }
function right(depth) { return walk(depth); }
function walk(depth) {
  held[n++ % 1000] = Buffer.allocUnsafeSlow(100 + (n % 7) * 50);
  if (depth === 0) return 0;
  return left(depth - 1) + right(depth - 1) + 1;
}
for (let i = 0; i < 5; i++) walk(12);
`;
