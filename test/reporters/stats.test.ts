import { expect, test } from "vitest";
import { PLAIN } from "../../src/reporters/paint.js";
import { statsJson } from "../../src/reporters/stats-json.js";
import { statsText } from "../../src/reporters/stats-text.js";
import { CaptureWriter, HEADER } from "../support/capture-writer.js";
import { readerOf } from "../support/memory-reader.js";

/** Fifteen allocations of three stacks, of sizes from 1 to 2 ** 14; one thread has no JavaScript. */
function capture(name = "load"): CaptureWriter {
  const writer = new CaptureWriter().thread(1, 4711, "main").thread(2, 4712, "pool").switchTo(1);
  const own = writer.stack("main@/srv/app/app.ts:3", `${name}@/srv/app/src/load.ts:7`, "alloc@node:buffer:400");
  const png = writer.stack("main@/srv/app/app.ts:3", "decode@/srv/app/node_modules/png/decode.js:9");
  for (let i = 0; i < 12; i++) writer.malloc(own, 2 ** i, 4096 + 8192 * i);
  writer.mmap(png, 8192, 2 ** 30).malloc(png, 2 ** 13, 2 ** 31);
  writer
    .switchTo(2)
    .malloc(0, 2 ** 14, 2 ** 32)
    .free(2 ** 32);
  return writer.snapshot(5, 2 ** 20).trailer(HEADER.startTimeMs + 2500);
}

function text(writer: CaptureWriter, paint = PLAIN, numLargest = 5): string {
  const reader = readerOf(writer.finish());
  return statsText(reader.getStatistics({ numLargest }), reader.metadata, { cwd: "/srv/app", paint });
}

test("the text tells all of it, with sizes as memray prints them", () => {
  expect(text(capture())).toBe(
    [
      "node app.js --fast",
      "  node v24.21.0, pid 4711, 2.5 s",
      "",
      "Total allocations             15",
      "Total memory allocated  36.863kB",
      "Peak memory usage       36.863kB",
      "",
      "Histogram of allocation size",
      "  min: 1.000B",
      "  ---------------------------------------",
      "  < 2.000B  : 2 ▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇",
      "  < 6.000B  : 1 ▇▇▇▇▇▇▇▇▇",
      "  < 18.000B : 2 ▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇",
      "  < 48.000B : 1 ▇▇▇▇▇▇▇▇▇",
      "  < 127.000B: 1 ▇▇▇▇▇▇▇▇▇",
      "  < 337.000B: 2 ▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇",
      "  < 891.000B: 1 ▇▇▇▇▇▇▇▇▇",
      "  < 2.352kB : 2 ▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇",
      "  < 6.208kB : 0",
      "  <=16.383kB: 3 ▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇",
      "  ---------------------------------------",
      "  max: 16.384kB",
      "",
      "Allocator type distribution",
      "  14  MALLOC",
      "   1  MMAP",
      "",
      "Top 3 largest allocating locations (by size)",
      "  16.384kB  app.ts:3  main",
      "  16.384kB  thread pool, no JavaScript",
      "   4.095kB  src/load.ts:7  load",
      "",
      "Top 3 largest allocating locations (by number of allocations)",
      "  12  src/load.ts:7  load",
      "   2  app.ts:3  main",
      "   1  thread pool, no JavaScript",
      "",
      "Top 3 allocating modules (by size)",
      "  16.384kB   2 allocations  png",
      "  16.384kB   1 allocations  <no JavaScript>",
      "   4.095kB  12 allocations  src/load.ts",
      "",
      "Top 3 allocating modules (by number of allocations)",
      "   4.095kB  12 allocations  src/load.ts",
      "  16.384kB   2 allocations  png",
      "  16.384kB   1 allocations  <no JavaScript>",
      "",
    ].join("\n"),
  );
});

/** Half of V8's heap is in use, and two thirds of malloc's arenas. */
const resident = [4_096_000, 1_000_000, 96_000, 800_000, 100_000, 50_000, 1_500_000, 550_000, 1_000_000, 540_000];

test("where RSS went is told of the highest that was looked at, in text and JSON", () => {
  expect(readerOf(capture().finish()).getResidentMemory()).toBeUndefined();
  const told = new CaptureWriter()
    .snapshot(10, 3_000_000, 1, 2, 3, 0, 3_000_000, 3_000_000, 0, 0, 0, 0, 0, 0, 0, 0)
    .snapshot(20, 4_096_000, 400_000, 900_000, 0, 0, ...resident)
    .snapshot(30, 4_200_000)
    .snapshot(40, 2_000_000, 1, 2, 3, 0, 2_000_000, 2_000_000, 0, 0, 0, 0, 0, 0, 0, 0)
    .malloc(0, 1, 4096)
    .trailer(HEADER.startTimeMs + 50);
  const explained = readerOf(told.finish());
  const statistics = explained.getStatistics();
  const options = { resident: explained.getResidentMemory(), cwd: "/", paint: PLAIN };
  const lines = statsText(statistics, explained.metadata, options).split("\n");
  const at = lines.indexOf("Where RSS went: 4.096MB after 0.0 s (4.200MB at most)");
  expect(lines.slice(at + 1, at + 10)).toEqual([
    "  400.000kB   9.8%  V8 heap, in use",
    "  400.000kB   9.8%  V8 heap, kept beyond that",
    "    1.590MB  38.8%  native memory, live",
    "  500.000kB  12.2%  native memory, freed and kept by the allocator",
    "    1.000MB  24.4%  code, libraries and other files",
    "   96.000kB   2.3%  threads' stacks",
    "  100.000kB   2.4%  heapray itself",
    "   10.000kB   0.2%  rest",
    "",
  ]);
  expect(JSON.parse(statsJson(statistics, explained.metadata, options.resident)).rss_at_peak).toEqual({
    time_ms: 20,
    rss: 4_096_000,
    highest_rss: 4_200_000,
    v8_heap_committed: 900_000,
    v8_heap_used: 400_000,
    v8_heap_unused: 400_000,
    native_live: 1_590_000,
    allocator_overhead: 500_000,
    code_and_libraries: 1_000_000,
    stacks: 96_000,
    heapray: 100_000,
    rest: 10_000,
  });
});

test("what malloc says beyond what is resident explains no more than that", () => {
  const memory = (inUseInArenas: number, largeBlocks: number) => {
    const writer = new CaptureWriter().snapshot(
      1,
      100,
      9,
      9,
      9,
      0,
      100,
      0,
      0,
      5,
      0,
      0,
      60,
      35,
      inUseInArenas,
      largeBlocks,
    );
    const { nativeLive, allocatorOverhead, v8HeapUsed, v8HeapUnused, rest } =
      readerOf(writer.finish()).getResidentMemory() ?? {};
    return { nativeLive, allocatorOverhead, v8HeapUsed, v8HeapUnused, rest };
  };
  const v8 = { v8HeapUsed: 5, v8HeapUnused: 0 };
  expect(memory(70, 500)).toEqual({ ...v8, nativeLive: 95, allocatorOverhead: 0, rest: 0 });
  // Its first arena lies elsewhere.
  expect(memory(70, 10)).toEqual({ ...v8, nativeLive: 80, allocatorOverhead: 15, rest: 0 });
  // It does not tell.
  expect(memory(0, 0)).toEqual({ ...v8, nativeLive: 95, allocatorOverhead: 0, rest: 0 });
});

test("no more locations than were asked for", () => {
  const shown = text(capture(), PLAIN, 1);
  expect(shown).toContain(
    "Top 1 largest allocating locations (by number of allocations)\n  12  src/load.ts:7  load\n\n",
  );
});

test("colours stand around titles and bars, and nothing else changes", () => {
  const tagged = text(capture(), {
    ...PLAIN,
    title: (part) => `<b>${part}</b>`,
    bar: (part) => `<i>${part}</i>`,
    minor: (part) => `<u>${part}</u>`,
  });
  expect(tagged).toContain("<b>Allocator type distribution</b>\n");
  expect(tagged).toContain(": 1 <i>▇▇▇▇▇▇▇▇▇</i>\n");
  expect(tagged.replace(/<\/?[biu]>/g, "").replace(/ +$/gm, "")).toBe(text(capture()));
});

test("names from the capture cannot drive the terminal", () => {
  const shown = text(capture("\x1b[2J\x1b]0;title\x07lo\x9bad\t\b\u202e"));
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
  expect(shown).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
  expect(shown).toContain("src/load.ts:7  load\n");
});

test("a capture without allocations has statistics too", () => {
  const shown = text(new CaptureWriter().trailer(HEADER.startTimeMs));
  expect(shown).toMatch(/Total allocations +0\n[\s\S]*Histogram of allocation size\n {2}Nothing was allocated\.\n$/);
});

test("the JSON has memray's keys", () => {
  const reader = readerOf(capture().finish());
  const json = JSON.parse(statsJson(reader.getStatistics({ numLargest: 2 }), reader.metadata));
  expect(json).toEqual({
    total_num_allocations: 15,
    total_bytes_allocated: 36863,
    allocation_size_histogram: expect.arrayContaining([
      { min_bytes: 0, max_bytes: 1, count: 2 },
      { min_bytes: 6208, max_bytes: 16383, count: 3 },
    ]),
    allocator_type_distribution: { MALLOC: 14, MMAP: 1 },
    top_allocations_by_size: [
      { location: "main:/srv/app/app.ts:3", size: 16384 },
      { location: "thread pool, no JavaScript", size: 16384 },
    ],
    top_allocations_by_count: [
      { location: "load:/srv/app/src/load.ts:7", count: 12 },
      { location: "main:/srv/app/app.ts:3", count: 2 },
    ],
    top_modules_by_allocation_size: [
      { module: "png", num_allocations: 2, total_bytes: 16384 },
      { module: "<no JavaScript>", num_allocations: 1, total_bytes: 16384 },
    ],
    top_modules_by_allocation_count: [
      { module: "src/load.ts", num_allocations: 12, total_bytes: 4095 },
      { module: "png", num_allocations: 2, total_bytes: 16384 },
    ],
    rss_at_peak: null,
    metadata: {
      start_time: "2023-11-14 22:13:20.000000+00:00",
      end_time: "2023-11-14 22:13:22.500000+00:00",
      total_allocations: 15,
      total_frames: 5,
      peak_memory: 36863,
      command_line: "node app.js --fast",
      pid: 4711,
      main_thread_id: 4711,
      runtime: "node v24.21.0",
      has_native_traces: false,
      trace_js_heap: false,
      file_format: "ALL_ALLOCATIONS",
      complete: true,
    },
  });
  expect(json.allocation_size_histogram).toHaveLength(10);
});
