import { describe, expect, test } from "vitest";
import type { AllocationRecord, Frame, Metadata } from "../../src/capture/records.js";
import { AllocatorType } from "../../src/capture/wire.js";
import { formatSize } from "../../src/reporters/figures.js";
import { renderSummary, type SummarySort, summarize, summaryJson } from "../../src/reporters/summary.js";

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
  tracePythonAllocators: false,
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

test("a line's total is that of all stacks it is on, once each; its own what it answers for", () => {
  const records = [
    record(
      10,
      "alloc@node:buffer:1",
      "read@/srv/app/node_modules/png/a.js:2",
      "load@/srv/app/a.ts:3",
      "main@/srv/app/a.ts:9",
    ),
    record(5, "walk@/srv/app/b.ts:1", "walk@/srv/app/b.ts:1", "main@/srv/app/a.ts:9"),
    record(1, "main@/srv/app/a.ts:9"),
    record(40),
  ];
  const summarized = (sort?: SummarySort) =>
    summarize({ records, metadata, kind: "leaks", top: 9, ...(sort && { sort }) }).lines.map(
      (line) => `${line.function} ${line.totalBytes} ${line.bytes} ${line.allocations}`,
    );
  const [main, load, read, walk, thread] = [
    "main 16 1 2",
    "load 10 10 2",
    "read 10 0 0",
    "walk 5 5 2",
    "thread worker, no JavaScript 40 40 2",
  ];
  expect(summarized()).toEqual([thread, load, walk, main]);
  expect(summarized("own")).toEqual(summarized());
  expect(summarized("total")).toEqual([thread, main, load, read, walk]);
  expect(summarized("allocations")).toHaveLength(4);
});

test("in order of totals, the text marks that column, and tells no share of the lines' own", () => {
  const records = [record(750, "a@/srv/app/a.ts:12", "main@/srv/app/a.ts:1")];
  const summary = summarize({ records, metadata, kind: "leaks", top: 1, sort: "total" });
  expect(renderSummary(summary, "/srv/app").split("\n").slice(4)).toEqual([
    "750.000B in 2 allocations still held at the end:",
    "",
    "   <total>               own          allocations  line",
    "  750.000B  100.0%  750.000B  100.0%            2  a.ts:12  a",
    "",
  ]);
});

test("JSON tells bytes, and files as they are", () => {
  const summary = summarize({ records: [record(7, "a@/srv/app/a.ts:12")], metadata, kind: "leaks", top: 9 });
  expect(JSON.parse(summaryJson(summary))).toEqual({
    kind: "leaks",
    bytes: 7,
    allocations: 2,
    js_bytes: 0,
    lines: [{ function: "a", file: "/srv/app/a.ts", line: 12, total_bytes: 7, own_bytes: 7, allocations: 2 }],
    metadata: {
      command_line: ["node", "/srv/app/main.js"],
      pid: 1,
      peak_memory: 1000,
      total_allocations: 12345,
      complete: true,
    },
  });
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
      "  1.000kB at the peak, 12,345 allocations in all",
      "",
      "1.000kB in 4 allocations still held at the end; 75.0% of it on this line:",
      "",
      "     total            <own>         allocations  line",
      "  750.000B  75.0%  750.000B  75.0%            2  src/a.ts:12  a",
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
    "  1.024kB native and 3.072kB of JavaScript objects, sampled every 16.384kB, held at the peak",
  );
});

test("an empty capture has a summary too", () => {
  const text = renderSummary(summarize({ records: [], metadata, kind: "high-water-mark", top: 5 }), "/");
  expect(text).toContain("Nothing was held at the peak.");
});

test.each([
  [0, "0.000B"],
  [999, "999.000B"],
  [1000, "1.000kB"],
  [5 * 1024 ** 2 + 1, "5.243MB"],
  [-2.5 * 1000 ** 4, "-2.500TB"],
  [1000 ** 8 * 3, "3.0YB"],
])("%d bytes are %s", (bytes, text) => {
  expect(formatSize(bytes)).toBe(text);
});
