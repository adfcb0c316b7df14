import { describe, expect, it } from "vitest";
import { EventBatch } from "../../src/capture/event-batch.js";
import { AllocatorType, Type } from "../../src/capture/wire.js";
import { captureErrorOf } from "../support/capture-errors.js";
import { CaptureWriter, HEADER } from "../support/capture-writer.js";
import { allEvents, decode } from "../support/events.js";

describe("the decoder", () => {
  it("gives the header's metadata before any record is read", () => {
    expect(decode(new CaptureWriter().finish()).header).toEqual(HEADER);
  });

  it("ignores metadata it does not know and makes up for what is missing", () => {
    const { header } = decode(new CaptureWriter({ pid: 1, colour: "blue", commandLine: "?" }).finish());
    expect(header).toMatchObject({ pid: 1, commandLine: [], cwd: "", options: {} });
    expect(header).not.toHaveProperty("colour");
  });

  it("decodes every kind of allocation and free", () => {
    const writer = new CaptureWriter().thread(1, 10, "main").switchTo(1);
    const { MALLOC, CALLOC, REALLOC, POSIX_MEMALIGN, MMAP, HEAP_PAGES, JS_OBJECT } = AllocatorType;
    [MALLOC, CALLOC, REALLOC, POSIX_MEMALIGN, MMAP, HEAP_PAGES, JS_OBJECT].forEach((allocator, i) => {
      writer.allocation(allocator, 0, 100 + i, 0x1000 * (i + 1));
    });
    writer.free(0x1000).munmap(0x5000, 50);
    expect(allEvents(decode(writer.finish()))).toEqual([
      { kind: "MALLOC", thread: 1, node: 0, size: 100, address: 0x1000 },
      { kind: "CALLOC", thread: 1, node: 0, size: 101, address: 0x2000 },
      { kind: "REALLOC", thread: 1, node: 0, size: 102, address: 0x3000 },
      { kind: "POSIX_MEMALIGN", thread: 1, node: 0, size: 103, address: 0x4000 },
      { kind: "MMAP", thread: 1, node: 0, size: 104, address: 0x5000 },
      { kind: "HEAP_PAGES", thread: 1, node: 0, size: 105, address: 0x6000 },
      { kind: "JS_OBJECT", thread: 1, node: 0, size: 106, address: 0x7000 },
      { kind: "FREE", thread: 1, node: 0, size: 0, address: 0x1000 },
      { kind: "MUNMAP", thread: 1, node: 0, size: 50, address: 0x5000 },
    ]);
  });

  it("repeats the thread's own last stack, size and address where the flags say so", () => {
    const writer = new CaptureWriter().thread(1, 10, "a").thread(2, 20, "b");
    const [first, second] = [writer.stack("f@a.js:1"), writer.stack("g@b.js:2")];
    writer.switchTo(1).malloc(first, 64, 0x7f00_1234_5678).free(0x7f00_1234_5678);
    writer.switchTo(2).malloc(second, 32, 0x5000).free(0x5000);
    const before = writer.length;
    writer.switchTo(1).malloc(first, 64, 0x7f00_1234_5678);
    writer.switchTo(2).malloc(second, 32, 0x5000);
    expect(writer.length - before).toBe(2 * 2 + 2 * 1);
    expect(allEvents(decode(writer.finish())).slice(-2)).toEqual([
      { kind: "MALLOC", thread: 1, node: first, size: 64, address: 0x7f00_1234_5678 },
      { kind: "MALLOC", thread: 2, node: second, size: 32, address: 0x5000 },
    ]);
  });

  it("does not let a range's end change the thread's last size", () => {
    const writer = new CaptureWriter().malloc(0, 64, 0x1000).munmap(0x9000, 4096).malloc(0, 64, 0x2000);
    expect(allEvents(decode(writer.finish())).map((event) => event.size)).toEqual([64, 4096, 64]);
  });

  it("is exact at both ends of every number's range", () => {
    const top = 2 ** 48 - 1;
    const addresses = [0, 1, 8, top, top - 7, 0, 2 ** 47, 2 ** 47 - 1, 127, 2 ** 31 + 5, 2 ** 32, 3, 2 ** 48 - 8];
    const sizes = [0, 1, 127, 128, 16383, 16384, 2 ** 28 - 1, 2 ** 28, 2 ** 31, 2 ** 32, 2 ** 35 + 1, 2 ** 48 - 1, 5];
    const writer = new CaptureWriter();
    addresses.forEach((address, i) => {
      writer.malloc(0, sizes[i] as number, address);
    });
    const events = allEvents(decode(writer.finish()));
    expect(events.map((event) => event.address)).toEqual(addresses);
    expect(events.map((event) => event.size)).toEqual(sizes);
  });

  it("builds the tree of stacks, with inlined frames", () => {
    const writer = new CaptureWriter();
    const script = writer.script("file:///app/a.js", "a.js.map");
    const [f, g] = [writer.function("f", script, 3, 9), writer.function("g", script, 7, 1)];
    const frames = [
      writer.frame({ function: f, line: 4, column: 5 }),
      writer.frame({ function: g, line: 8 }, { function: f, line: 5, column: 300 }),
    ] as const;
    const root = writer.node(0, frames[0]);
    const child = writer.node(root, frames[1]);
    const other = writer.node(0, frames[1]);
    const grandchild = writer.node(child, frames[0]);
    const decoder = decode(writer.finish());
    expect(allEvents(decoder)).toEqual([]);
    const { tables } = decoder;
    expect([...tables.nodeParent.items.slice(1, 5)]).toEqual([0, root, 0, child]);
    expect([...tables.nodeFrame.items.slice(1, 5)]).toEqual([1, 2, 2, 1]);
    expect([other, grandchild]).toEqual([3, 4]);
    expect([...tables.frameEnd.items.slice(0, 3)]).toEqual([0, 1, 3]);
    expect([...tables.logicalLine.items.slice(0, 3)]).toEqual([4, 8, 5]);
    expect([...tables.logicalColumn.items.slice(0, 3)]).toEqual([5, 0, 300]);
    expect(tables.strings.get(tables.functionName.at(g))).toBe("g");
    expect(tables.strings.get(tables.scriptSourceMapUrl.at(script))).toBe("a.js.map");
    expect([tables.functionLine.at(f), tables.functionColumn.at(f)]).toEqual([3, 9]);
  });

  it("gives native frames, their modules and the names that were brought along", () => {
    const writer = new CaptureWriter();
    const buildId = "00ff10".repeat(21);
    const modules = [writer.module("/lib/libfoo.so.1", buildId, 0x7f00_0000_0000), writer.module("/app/addon.node")];
    const script = writer.script("a.js");
    const frames = [
      writer.nativeFrame(2, 0x1234),
      writer.frame({ function: writer.function("f", script), line: 4 }),
      writer.nativeFrame(0, 2 ** 47 + 1),
      writer.nativeFrame(1, 0),
    ];
    writer.symbol(1, "_ZN3foo3barEi");
    const decoder = decode(writer.finish(), 16);
    expect(allEvents(decoder)).toEqual([]);
    const { tables } = decoder;
    expect(modules).toEqual([1, 2]);
    expect(modules.map((id) => tables.strings.get(tables.modulePath.at(id)))).toEqual([
      "/lib/libfoo.so.1",
      "/app/addon.node",
    ]);
    expect(tables.moduleBuildId).toEqual(["", buildId, ""]);
    expect(tables.moduleBias.at(1)).toBe(0x7f00_0000_0000);
    expect(frames.map((id) => [tables.isNative(id), tables.frameModule.at(id), tables.frameAddress.at(id)])).toEqual([
      [true, 2, 0x1234],
      [false, 0, 0],
      [true, 0, 2 ** 47 + 1],
      [true, 1, 0],
    ]);
    expect([...tables.frameSymbol].map(([frame, name]) => [frame, tables.strings.get(name)])).toEqual([
      [1, "_ZN3foo3barEi"],
    ]);
  });

  it("keeps strings of any length and script", () => {
    const texts = ["é", "x".repeat(300_000), "日本", "🦀".repeat(9000)];
    const writer = new CaptureWriter();
    const ids = texts.map((text) => writer.string(text));
    for (const chunkBytes of [64, 4096, 1024 * 1024]) {
      const decoder = decode(writer.finish(), chunkBytes);
      allEvents(decoder);
      expect(ids.map((id) => decoder.tables.strings.get(id))).toEqual(texts);
      expect(decoder.tables.strings.get(0)).toBe("");
    }
  });

  it("renames a thread", () => {
    const writer = new CaptureWriter().thread(1, 10, "node").thread(2, 11, "worker").thread(1, 10, "main");
    const decoder = decode(writer.finish());
    allEvents(decoder);
    const { strings, threadName, threadTid } = decoder.tables;
    expect([1, 2].map((index) => strings.get(threadName.at(index)))).toEqual(["main", "worker"]);
    expect([1, 2].map((index) => threadTid.at(index))).toEqual([10, 11]);
  });

  it("gives snapshots in their place and skips what later versions add", () => {
    const writer = new CaptureWriter().malloc(0, 1, 0x10).snapshot(10, 5e9, 3, 4, 5, 99);
    writer.snapshot(20, 6e9, 3, 4, 5, 99, 55, 1, 2, 3, 4, 5, 6, 34, 7, 8, 2 ** 40);
    writer.extended(77, new Uint8Array(1000)).malloc(0, 2, 0x20).trailer(1234, "stop").raw(0xff);
    const decoder = decode(writer.finish());
    const batch = new EventBatch();
    expect(decoder.next(batch)).toBe(true);
    expect(batch.snapshots).toEqual([
      { timeMs: 10, rss: 5e9, heapUsed: 3, heapCommitted: 4, external: 5, tracked: 99 },
      {
        ...{ timeMs: 20, rss: 6e9, heapUsed: 3, heapCommitted: 4, external: 5, tracked: 99 },
        resident: {
          ...{ rss: 55, files: 1, stacks: 2, v8Heap: 3, heapray: 4, mapped: 5, arenas: 6, other: 34 },
          ...{ inUseInArenas: 7, largeBlocks: 8 },
        },
      },
    ]);
    expect([...batch.kind.slice(0, batch.length)]).toEqual([6, 0, 0, 6]);
    expect(decoder.next(batch)).toBe(false);
    expect(decoder.end).toEqual({ endTimeMs: 1234, reason: "stop" });
  });

  it("notices a snapshot that ends amid what it tells of resident pages", () => {
    const decoder = decode(new CaptureWriter().snapshot(20, 6e9, 3, 4, 5, 99, 55, 1, 2).finish());
    expect(captureErrorOf(() => decoder.next(new EventBatch())).message).toMatch(/a memory snapshot is too short/);
  });

  it("stops at a zero tag, whatever follows", () => {
    const writer = new CaptureWriter().malloc(0, 1, 0x10).raw(Type.END, 0xff, 0xff);
    const decoder = decode(writer.finish());
    expect(allEvents(decoder)).toHaveLength(1);
    expect(decoder.end).toBeUndefined();
  });

  it("reads the same through chunks and batches of any size", () => {
    const writer = new CaptureWriter().thread(1, 10, "a").thread(2, 11, "b");
    const stacks = Array.from({ length: 40 }, (_, i) =>
      writer.stack(`f${i}@/a/${"d".repeat(i * 20)}.js:${i}`, "g@b.js"),
    );
    for (let i = 0; i < 3000; i++) {
      writer.switchTo(1 + (i % 7 === 0 ? 1 : 0));
      writer.malloc(stacks[(i * 7) % 40] as number, (i * 37) % 1000, 0x7f00_0000_0000 + ((i * 7919) % 4096) * 16);
      if (i % 3 === 0) writer.free(0x7f00_0000_0000 + i * 16);
      if (i % 100 === 0) writer.snapshot(i, i * 1000);
    }
    const bytes = writer.finish();
    const whole = allEvents(decode(bytes));
    expect(whole).toHaveLength(3000 + 1000 + 30);
    for (const chunkBytes of [1, 3, 100, 8192, 8193, 65536]) {
      for (const batchSize of [1, 7, 4096]) expect(allEvents(decode(bytes, chunkBytes), batchSize)).toEqual(whole);
    }
  });
});
