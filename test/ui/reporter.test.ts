import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { AllocatorType } from "../../src/capture/wire.js";
import { type FlameGraphInput, flameGraphData, renderFlameGraph } from "../../src/reporters/flamegraph.js";
import { categoryOf } from "../../src/reporters/flamegraph-category.js";
import { decodeFlameGraph, encodeFlameGraph } from "../../src/reporters/flamegraph-codec.js";
import { Category, MemoryKind } from "../../src/reporters/flamegraph-data.js";
import { flameGraphHtml, readTemplate } from "../../src/reporters/flamegraph-page.js";
import { snapshotTable } from "../../src/reporters/flamegraph-snapshots.js";
import { frame, metadata, record, syntheticCapture } from "./synthetic.js";

const main = frame("main", "/app/main.ts", 3, 5);
const load = frame("load", "/app/load.ts", 10, 7);
const alloc = frame("allocUnsafeSlow", "node:buffer", 400, 3);

function input(records: FlameGraphInput["records"], fields: Partial<FlameGraphInput> = {}): FlameGraphInput {
  return { records, snapshots: [], metadata: metadata(), kind: "high-water-mark", ...fields };
}

describe("the call tree's tables", () => {
  it("merges records of one stack and tells kinds and threads apart", () => {
    const data = flameGraphData(
      input([
        record({ path: [main, load, alloc], size: 100, nAllocations: 2 }),
        record({ path: [main], size: 1 }),
        record({ path: [main, load, alloc], size: 50, allocator: AllocatorType.CALLOC }),
        record({ path: [main, load, alloc], size: 4096, allocator: AllocatorType.HEAP_PAGES }),
        record({ path: [main, load, alloc], size: 7, threadName: "worker", tid: 2 }),
        record({ path: [main, load, alloc], size: 16400, allocator: AllocatorType.JS_OBJECT }),
      ]),
    );
    expect([...data.nodes.parent]).toEqual([-1, 0, 1, 2]);
    const names = [...data.nodes.frame].map((row) => data.strings[data.frames.function[row] as number]);
    expect(names).toEqual(["<root>", "main", "load", "allocUnsafeSlow"]);
    expect(data.threads).toEqual(["main", "worker"]);
    const rows = [...data.weights.node].map((node, i) => ({
      node,
      thread: data.weights.thread[i],
      kind: data.weights.kind[i],
      bytes: data.weights.bytes[i],
      allocations: data.weights.allocations[i],
    }));
    expect(rows).toEqual([
      { node: 1, thread: 0, kind: MemoryKind.NATIVE, bytes: 1, allocations: 1 },
      { node: 3, thread: 0, kind: MemoryKind.NATIVE, bytes: 150, allocations: 3 },
      { node: 3, thread: 0, kind: MemoryKind.HEAP_PAGES, bytes: 4096, allocations: 1 },
      { node: 3, thread: 0, kind: MemoryKind.JS, bytes: 16400, allocations: 1 },
      { node: 3, thread: 1, kind: MemoryKind.NATIVE, bytes: 7, allocations: 1 },
    ]);
  });

  it("hangs allocations without frames below their thread", () => {
    const data = flameGraphData(
      input([
        record({ path: [], size: 10, threadName: "libuv-worker", tid: 5 }),
        record({ path: [], size: 20, threadName: "libuv-worker", tid: 6 }),
        record({ path: [], size: 30, threadName: "", tid: 77 }),
      ]),
    );
    const frames = [...data.nodes.frame].slice(1);
    expect(frames.map((row) => data.strings[data.frames.function[row] as number])).toEqual([
      "thread: libuv-worker",
      "thread: 77",
    ]);
    expect(frames.map((row) => data.frames.category[row])).toEqual([Category.THREAD, Category.THREAD]);
    expect([...data.weights.bytes]).toEqual([30, 30]);
  });

  it("hangs all that a thread allocated below it where threads are split", () => {
    const records = [
      record({ path: [main, load], size: 10 }),
      record({ path: [main], size: 1, threadName: "worker", tid: 2 }),
      record({ path: [], size: 5, threadName: "worker", tid: 2 }),
    ];
    const data = flameGraphData(input(records, { splitThreads: true }));
    const names = [...data.nodes.frame].map((row) => data.strings[data.frames.function[row] as number]);
    const tree = names.map((name, node) => [name, names[data.nodes.parent[node] as number]]);
    expect(tree).toEqual([
      ["<root>", undefined],
      ["thread: main", "<root>"],
      ["main", "thread: main"],
      ["load", "main"],
      ["thread: worker", "<root>"],
      ["main", "thread: worker"],
    ]);
    expect([...data.weights.node].map((node, i) => [node, data.weights.bytes[i]])).toEqual([
      [3, 10],
      [4, 5],
      [5, 1],
    ]);
  });

  it("asks for each line of source once and keeps its text trimmed", () => {
    const asked: string[] = [];
    const data = flameGraphData(
      input([record({ path: [main, load], size: 1 }), record({ path: [main, main, load], size: 1 })], {
        sourceLine: (file, line) => {
          asked.push(`${file}:${line}`);
          return file === "/app/load.ts" ? `  ${"x".repeat(500)}` : undefined;
        },
      }),
    );
    expect(asked).toEqual(["/app/main.ts:3", "/app/load.ts:10"]);
    const sources = [...data.frames.source].map((id) => data.strings[id]?.length);
    expect(sources).toEqual([0, 0, 240]);
  });

  it("survives recursion deeper than the stack of this program", () => {
    const path = Array.from({ length: 60_000 }, (_, i) => (i % 2 ? main : load));
    const data = flameGraphData(input([record({ path, size: 8 })]));
    expect(data.nodes.parent.length).toBe(60_001);
    expect(decodeFlameGraph(encodeFlameGraph(data)).nodes.parent.at(-1)).toBe(59_999);
  });

  it("knows whose code a file is", () => {
    expect(categoryOf({ function: "f", file: "/app/src/a.ts" })).toBe(Category.PROGRAM);
    expect(categoryOf({ function: "f", file: "file:///app/src/a.ts" })).toBe(Category.PROGRAM);
    expect(categoryOf({ function: "f", file: "/app/node_modules/zod/index.js" })).toBe(Category.DEPENDENCY);
    expect(categoryOf({ function: "f", file: "/app/my_node_modules/index.js" })).toBe(Category.PROGRAM);
    expect(categoryOf({ function: "f", file: "node:internal/fs/promises" })).toBe(Category.INTERNAL);
    expect(categoryOf({ function: "f", file: "<builtin>" })).toBe(Category.BUILTIN);
    expect(categoryOf({ function: "f", file: "/usr/lib/libvips.so.42.1" })).toBe(Category.NATIVE);
    expect(categoryOf({ function: "f", file: "/app/node_modules/sharp/build/sharp.node" })).toBe(Category.NATIVE);
  });
});

describe("the page's bytes", () => {
  it("come back as they were", () => {
    const capture = syntheticCapture(2_000);
    const data = flameGraphData(
      input(capture.records, { ...capture, sourceLine: (file) => `${file} \u0000 </script>` }),
    );
    expect(decodeFlameGraph(encodeFlameGraph(data))).toEqual(data);
  });

  it("hold sizes beyond 2^32", () => {
    const size = 2 ** 45 + 12_345;
    const data = flameGraphData(input([record({ path: [main], size })]));
    expect(decodeFlameGraph(encodeFlameGraph(data)).weights.bytes[0]).toBe(size);
  });

  it("are refused when damaged, at whatever place", () => {
    const bytes = encodeFlameGraph(flameGraphData(input([record({ path: [main, load], size: 70_000 })])));
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeFlameGraph(bytes.slice(0, length)), `cut to ${length} bytes`).toThrow();
    }
  });

  it("stay within 400 KB and 10 bytes a frame", () => {
    const capture = syntheticCapture(100_000);
    const data = flameGraphData(input(capture.records, capture));
    const html = flameGraphHtml(data, "large", readTemplate());
    expect(data.nodes.parent.length).toBeGreaterThan(100_000);
    expect(html.length).toBeLessThan(400_000 + 10 * data.nodes.parent.length);
  });
});

describe("snapshots", () => {
  it("are thinned without losing a peak", () => {
    const rows = Array.from({ length: 50_000 }, (_, i) => ({
      timeMs: i * 10,
      rss: i === 777 ? 9e9 : 1e9,
      heapUsed: 5,
      heapCommitted: 6,
      external: 7,
      tracked: i === 40_001 ? 8e9 : i,
    }));
    const table = snapshotTable(rows);
    expect(table.timeMs.length).toBeLessThanOrEqual(4000);
    expect(Math.max(...table.rss)).toBe(9e9);
    expect(Math.max(...table.tracked)).toBe(8e9);
    expect([...table.timeMs]).toEqual([...table.timeMs].sort((a, b) => a - b));
  });
});

describe("the report", () => {
  it("holds the records", () => {
    const html = renderFlameGraph(input([record({ path: [main], size: 123 })]));
    const payload = /id="heapray-data">([A-Za-z0-9+/=]+)<\/script>/.exec(html)?.[1] ?? "";
    const data = decodeFlameGraph(gunzipSync(Buffer.from(payload, "base64")));
    expect([...data.weights.bytes]).toEqual([123]);
  });

  it("keeps a hostile command line out of the markup", () => {
    const hostile = '</title><script>alert("x")</script>\u202e';
    const html = flameGraphHtml(flameGraphData(input([])), hostile, readTemplate());
    const title = /<title>([\s\S]*?)<\/title>/.exec(html)?.[1] ?? "";
    expect(title).toBe("&lt;/title&gt;&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;\ufffd");
  });
});
