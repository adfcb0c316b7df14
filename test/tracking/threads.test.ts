import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FileReader } from "../../src/analysis/file-reader.js";
import { type Folder, heapray, node, root, temporaryFolder } from "../support/heapray.js";
import { nodeVersions } from "../support/node-versions.js";
import { expected, found, isRelease, program, type Truth, truthsOf } from "./truth.js";

let folder: Folder;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.remove());

const FINE = { status: 0, signal: null, stdout: "", stderr: "" };

interface Thread {
  readonly tid: number;
  readonly name: string;
}

/** The threads that allocated each of these sizes. */
function threadsOf(capture: string, sizes: readonly number[]): Record<number, Thread[]> {
  using reader = new FileReader(capture);
  const threads = new Map(sizes.map((size) => [size, new Map<number, Thread>()]));
  for (const { size, allocator, tid, threadName } of reader.getAllocationRecords()) {
    if (!isRelease(allocator)) threads.get(size)?.set(tid, { tid, name: threadName });
  }
  return Object.fromEntries([...threads].map(([size, byTid]) => [size, [...byTid.values()]]));
}

/** What the program `worker.cjs` allocates when it is told a size. */
function workerTruths(size: number, parts: readonly ("work" | "message")[]): Truth[] {
  const [work, message] = truthsOf([program("worker.cjs")]);
  if (work === undefined || message === undefined) throw new Error("worker.cjs tells two truths.");
  const truths = { work: { ...work, size }, message: { ...message, size: size + 20 } };
  return parts.map((part) => truths[part]);
}

describe.each(nodeVersions)("on $name", ({ path: binary }) => {
  const capture = () => folder.join("capture.bin");

  test("worker threads, those that are terminated too", () => {
    const ended = heapray(["run", "-q", "-o", capture(), program("workers.cjs")], { node: binary });
    expect(ended).toEqual(FINE);
    const truths = [...truthsOf([program("workers.cjs")]), ...workerTruths(11003, ["work", "message"])].map(
      (truth) => ({
        ...truth,
        // Around the text of a worker, Node.js puts a function of its own.
        stack: truth.stack.replace(/ < \S+ \[worker eval\]-wrapper:.*/, ""),
      }),
    );
    const seen = found(capture(), truths);
    seen[11047] = (seen[11047] ?? []).map((line) => line.replace(/ < \S+ \[worker eval\]-wrapper:.*/, ""));
    expect(seen).toEqual(expected(truths));

    const threads = threadsOf(capture(), [11003, 11023, 11027, 11047, 11057]);
    using reader = new FileReader(capture());
    const main = [{ tid: reader.metadata.pid, name: expect.stringMatching(/^(node-)?MainThread$/) }];
    const [worker, endless] = [threads[11003]?.[0], threads[11047]?.[0]];
    expect(threads).toEqual({
      11003: [{ tid: expect.any(Number), name: "WorkerThread" }],
      11023: [worker],
      11027: main,
      11047: [{ tid: expect.any(Number), name: "WorkerThread" }],
      11057: main,
    });
    expect(new Set([worker?.tid, endless?.tid, reader.metadata.pid]).size).toBe(3);
  });

  test("worker threads older and younger than the tracker", () => {
    const index = path.join(root, "dist/index.cjs");
    const ended = node([program("tracked-workers.cjs"), index, capture()], { node: binary });
    expect(ended).toEqual(FINE);
    const truths = [...workerTruths(12007, ["message"]), ...workerTruths(12011, ["work", "message"])];
    expect(found(capture(), truths)).toEqual(expected(truths));

    const threads = threadsOf(capture(), [12027, 12011, 12031]);
    expect(threads[12031]).toEqual(threads[12011]);
    expect(threads[12027]?.map(({ name }) => name)).toEqual(["WorkerThread"]);
    expect(threads[12011]?.map(({ name }) => name)).toEqual(["WorkerThread"]);
    expect(threads[12027]?.[0]?.tid).not.toBe(threads[12011]?.[0]?.tid);
  });

  test("an allocation under a lock of V8's own waits for nobody", () => {
    const ended = heapray(["run", "-q", "-o", capture(), program("wait-async.mjs")], { node: binary });
    expect(ended).toEqual({ ...FINE, stdout: "done\n" });
  });

  test("libuv's and V8's threads go by their names and have no stack", () => {
    const ended = heapray(["run", "-q", "-o", capture(), program("pool.cjs")], { node: binary });
    expect(ended).toEqual(FINE);
    using reader = new FileReader(capture());
    const bytes: Record<string, number> = {};
    let withStack = 0;
    let misnamed = 0;
    for (const record of reader.getAllocationRecords()) {
      if (isRelease(record.allocator)) continue;
      bytes[record.threadName] = (bytes[record.threadName] ?? 0) + record.size;
      if (/libuv|V8Worker/.test(record.threadName) && record.stackId !== 0) withStack++;
      if ((record.tid === reader.metadata.pid) !== /^(node-)?MainThread$/.test(record.threadName)) misnamed++;
    }
    expect({ withStack, misnamed }).toEqual({ withStack: 0, misnamed: 0 });
    // Brotli's tables alone are larger.
    expect(bytes["libuv-worker"]).toBeGreaterThan(500_000);
    // V8's threads need not allocate; whoever does has a name that tells what it is.
    const names = Object.keys(bytes).filter(
      (name) => !/^(node-)?(MainThread|V8Worker)$|^libuv-worker$|^Delayed/.test(name),
    );
    expect(names).toEqual([]);
  });
});
