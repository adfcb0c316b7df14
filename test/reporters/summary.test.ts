import { describe, expect, test } from "vitest";
import type { AllocationRecord, Frame, Metadata } from "../../src/capture/records.js";
import { AllocatorType } from "../../src/capture/wire.js";
import { formatBytes } from "../../src/reporters/figures.js";
import { renderSummary, summarize } from "../../src/reporters/summary.js";

const metadata: Metadata = {
  pid: 1,
  mainThreadId: 1,
  commandLine: ["node", "/srv/app/main.js"],
  cwd: "/srv/app",
  runtime: { name: "node", version: "v20.0.0" },
  arch: "x64",
  platform: "linux",
  startTimeMs: 1000,
  heaprayVersion: "0.1.0",
  options: {},
  endTimeMs: 4500,
  complete: true,
  totalAllocations: 12345,
  peakMemory: 1000,
  hasNativeTraces: false,
  traceJsHeap: false,
  fileFormat: "ALL_ALLOCATIONS",
};

/** @param frames innermost first: `function@file:line` */
function record(size: number, ...frames: string[]): AllocationRecord {
  const stack = frames.map((text): Frame => {
    const [, name = "", file = "", line] = /^(.*?)@(.*):(\d+)$/.exec(text) ?? [];
    return { function: name, file, line: Number(line), column: 1 };
  });
  return {
    tid: 7,
    threadName: "worker",
    address: 0,
    size,
    allocator: AllocatorType.MALLOC,
    stackId: 1,
    nAllocations: 2,
    stackTrace: (max = stack.length) => stack.slice(0, max),
  };
}

const lines = (...records: AllocationRecord[]) =>
  summarize({ records, metadata, kind: "high-water-mark", top: 5 }).lines.map(
    ({ function: name, file, line, bytes }) => `${name}@${file}:${line}=${bytes}`,
  );

describe("the line that answers for an allocation", () => {
  test("is the program's innermost, whatever lies below it", () => {
    expect(
      lines(
        record(
          10,
          "alloc@node:buffer:1",
          "read@/srv/app/node_modules/png/a.js:2",
          "inner@/srv/app/a.ts:3",
          "outer@/srv/app/b.ts:4",
        ),
      ),
    ).toEqual(["inner@/srv/app/a.ts:3=10"]);
  });

  test("is a package's, then the runtime's, where the program has none", () => {
    expect(
      lines(record(9, "alloc@node:buffer:1", "read@/srv/app/node_modules/png/a.js:2"), record(8, "x@node:fs:5")),
    ).toEqual(["read@/srv/app/node_modules/png/a.js:2=9", "x@node:fs:5=8"]);
  });

  test("is the thread where there is no stack", () => {
    expect(lines(record(5))).toEqual(["thread worker, no JavaScript@:0=5"]);
  });
});

test("lines add up over records and come in falling order, the first of them", () => {
  const records = [record(1, "a@/a.ts:1"), record(5, "b@/b.ts:1"), record(7, "a@/a.ts:1"), record(2, "c@/c.ts:1")];
  const summary = summarize({ records, metadata, kind: "high-water-mark", top: 2 });
  expect(summary.lines.map(({ file, bytes, allocations }) => [file, bytes, allocations])).toEqual([
    ["/a.ts", 8, 4],
    ["/b.ts", 5, 2],
  ]);
  expect(summary).toMatchObject({ bytes: 15, allocations: 8, programBytes: 15 });
});

test("bytes whose stack has no line of the program are not the program's", () => {
  const records = [record(30, "a@/srv/app/a.ts:1"), record(70, "b@node:fs:1")];
  expect(summarize({ records, metadata, kind: "high-water-mark", top: 1 })).toMatchObject({
    bytes: 100,
    programBytes: 30,
  });
});

test("the text shows files below the working directory relative to it, and shares of all bytes", () => {
  const records = [record(750, "a@/srv/app/src/a.ts:12"), record(250, "b@/lib/b.js:3")];
  const text = renderSummary(summarize({ records, metadata, kind: "leaks", top: 1 }), "/srv/app");
  expect(text).toBe(
    [
      "node main.js",
      "  node v20.0.0, pid 1, 3.5 s",
      "  1000 B at the peak, 12,345 allocations in all",
      "",
      "1000 B in 4 allocations still held at the end; 75.0% of it on this line:",
      "",
      "  bytes  share  allocations  line",
      "  750 B  75.0%            2  src/a.ts:12  a",
      "",
    ].join("\n"),
  );
});

test("the text tells native memory from JavaScript objects where those were recorded", () => {
  const objects = { ...record(3 * 1024, "a@/srv/app/a.ts:1"), allocator: AllocatorType.JS_OBJECT };
  const records = [record(1024, "b@/srv/app/a.ts:2"), objects];
  const withObjects: Metadata = { ...metadata, traceJsHeap: 16384 };
  const text = renderSummary(
    summarize({ records, metadata: withObjects, kind: "high-water-mark", top: 1 }),
    "/srv/app",
  );
  expect(text.split("\n")[3]).toBe(
    "  1.0 KiB native and 3.0 KiB of JavaScript objects, sampled every 16.0 KiB, held at the peak",
  );
});

test("an empty capture has a summary too", () => {
  const text = renderSummary(summarize({ records: [], metadata, kind: "high-water-mark", top: 5 }), "/");
  expect(text).toContain("Nothing was held at the peak.");
});

test.each([
  [0, "0 B"],
  [1023, "1023 B"],
  [1024, "1.0 KiB"],
  [5 * 1024 ** 2 + 1, "5.0 MiB"],
  [2.5 * 1024 ** 4, "2.5 TiB"],
  [1024 ** 5 * 3, "3072.0 TiB"],
])("%d bytes are %s", (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});
