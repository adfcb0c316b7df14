import { parse } from "csv-parse/sync";
import { describe, expect, it } from "vitest";
import type { AllocationRecord } from "../../src/capture/records.js";
import { AllocatorType } from "../../src/capture/wire.js";
import { categoryOf } from "../../src/reporters/flamegraph-category.js";
import { Category } from "../../src/reporters/flamegraph-data.js";
import { tableData } from "../../src/reporters/table.js";
import { decodeTable, encodeTable } from "../../src/reporters/table-codec.js";
import type { TableData } from "../../src/reporters/table-data.js";
import { csvOf } from "../../ui/src/table/csv.js";
import { findFrames } from "../../ui/src/table/find.js";
import { type GroupOptions, groupRows, type Rows } from "../../ui/src/table/group.js";
import { type ColumnName, RowSorter, radixSort } from "../../ui/src/table/sort.js";
import { TableState } from "../../ui/src/table/state.js";
import { rowTexts } from "../../ui/src/table/texts.js";
import { contentHeight, ROW_HEIGHT, rowWindow, scrollTo } from "../../ui/src/table/window.js";
import { frame, metadata, randomNumbers, record, syntheticCapture, syntheticSource } from "./synthetic.js";

const capture = syntheticCapture(2_000);
const data = tableOf(capture.records);
const OPTIONS: GroupOptions = { place: "owner", splitThreads: false, thread: -1, allocator: -1 };

function tableOf(records: readonly AllocationRecord[]): TableData {
  return tableData({ records, metadata: metadata(), kind: "high-water-mark", sourceLine: syntheticSource });
}

/** Rows by what they are of, added up the plainest way. */
function plainRows(records: readonly AllocationRecord[], { place, splitThreads }: GroupOptions): Map<string, number> {
  const sums = new Map<string, number>();
  for (const one of records) {
    const stack = one.stackTrace();
    const innermostOf = (category: Category) => stack.find((candidate) => categoryOf(candidate) === category);
    const owner = innermostOf(Category.PROGRAM) ?? innermostOf(Category.DEPENDENCY) ?? stack[0];
    const at = place === "owner" ? owner : stack[0];
    const where = at ? `${at.function} ${at.file}:${at.line}:${at.column}` : `thread: ${one.threadName}`;
    const key = `${where} ${AllocatorType[one.allocator]?.toLowerCase()} ${splitThreads ? one.threadName : ""}`;
    sums.set(key, (sums.get(key) ?? 0) + one.size);
  }
  return sums;
}

function keyedRows(rows: Rows, splitThreads: boolean): Map<string, number> {
  const { frames, strings, threads, allocators } = data;
  const sums = new Map<string, number>();
  for (let row = 0; row < rows.length; row++) {
    const at = rows.frame[row] as number;
    const [name, file] = [strings[frames.function[at] as number], strings[frames.file[at] as number]];
    const where = file === "" ? name : `${name} ${file}:${frames.line[at]}:${frames.column[at]}`;
    const thread = splitThreads ? threads[rows.thread[row] as number] : "";
    const key = `${where} ${allocators[rows.allocator[row] as number]} ${thread}`;
    expect(sums.has(key), `a second row of ${key}`).toBe(false);
    sums.set(key, rows.bytes[row] as number);
  }
  return sums;
}

describe("the table's rows", () => {
  it.each([
    ["owner", false],
    ["owner", true],
    ["frame", false],
    ["frame", true],
  ] as const)("are those that plain sums give (%s, threads split: %s)", (place, splitThreads) => {
    const options = { ...OPTIONS, place, splitThreads };
    const rows = groupRows(data, options);
    expect(keyedRows(rows, splitThreads)).toEqual(plainRows(capture.records, options));
    expect(rows.length).toBeGreaterThan(50);
  });

  it("are of one thread, or of one allocator, alone", () => {
    const whole = capture.records.reduce((sum, { size }) => sum + size, 0);
    const sum = (options: Partial<GroupOptions>): number =>
      groupRows(data, { ...OPTIONS, ...options }).bytes.reduce((all, bytes) => all + bytes, 0);
    for (const place of ["owner", "frame"] as const) {
      const byThread = data.threads.map((_, thread) => sum({ place, thread }));
      const byAllocator = data.allocators.map((_, allocator) => sum({ place, allocator }));
      for (const parts of [byThread, byAllocator]) {
        expect(Math.min(...parts)).toBeGreaterThan(0);
        expect(parts.reduce((all, part) => all + part, 0)).toBe(whole);
      }
    }
  });

  it("tell whose they are", () => {
    const place = [frame("main", "/home/ada/catalog/a.ts", 3, 7)];
    const some = tableOf([
      record({ path: place, size: 10, threadName: "main" }),
      record({ path: place, size: 20, threadName: "worker", tid: 2 }),
      record({ path: [frame("alloc", "node:buffer", 9, 1)], size: 1 }),
    ]);
    const texts = [0, 1].map((row) => rowTexts(some, groupRows(some, OPTIONS), row));
    expect(texts).toMatchObject([
      { function: "main", location: "a.ts:3", place: "a.ts:3:7", thread: "2 threads", bytes: 30, allocations: 2 },
      { function: "alloc", location: "node:buffer:9", thread: "main", allocator: "malloc" },
    ]);
  });

  it("come back from the page's bytes as they were, and damaged bytes are refused", () => {
    const bytes = encodeTable(data);
    expect(decodeTable(bytes)).toEqual(data);
    const small = encodeTable(tableOf([record({ path: [frame("f", "/a.ts", 1)], size: 70_000 })]));
    for (let length = 0; length < small.length; length++) {
      expect(() => decodeTable(small.slice(0, length)), `cut to ${length} bytes`).toThrow();
    }
  });
});

describe("sorting", () => {
  const rows = groupRows(data, OPTIONS);
  const sorter = new RowSorter(data);

  it.each(["bytes", "allocations", "allocator", "thread", "function", "location", "source"] as ColumnName[])(
    "by %s goes up and down, and among equals by size",
    (column) => {
      const key = (row: number): string | number => {
        const texts = rowTexts(data, rows, row);
        if (column === "bytes" || column === "allocations") return texts[column];
        if (column === "thread") return (data.threads[rows.thread[row] as number] ?? "").toLowerCase();
        if (column !== "location") return texts[column].toLowerCase() || "\uffff";
        const [, file = "\uffff", line = "0"] = /^(.*):(\d+)$/.exec(texts.location.toLowerCase()) ?? [];
        return `${file === "" ? "\uffff" : file} ${line.padStart(8, "0")}`;
      };
      for (const descending of [false, true]) {
        const order = sorter.order(rows, { column, descending });
        expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: rows.length }, (_, row) => row));
        for (let i = 1; i < order.length; i++) {
          const [before, after] = [order[i - 1] as number, order[i] as number];
          const [x, y] = descending ? [key(after), key(before)] : [key(before), key(after)];
          expect(x <= y, `${x} before ${y}`).toBe(true);
          if (x === y && column !== "bytes") expect(rows.bytes[before]).toBeGreaterThanOrEqual(rows.bytes[after] ?? 0);
        }
      }
    },
  );

  it("holds for sizes beyond 2^32", () => {
    const random = randomNumbers(3);
    const sizes = Float64Array.from({ length: 500 }, () => Math.floor(random() * 2 ** (random() * 53)));
    const order = Uint32Array.from(sizes, (_, i) => i);
    expect([...radixSort(order, sizes, false)].map((i) => sizes[i])).toEqual([...sizes].sort((a, b) => a - b));
  });
});

describe("searching", () => {
  const found = (text: string): string[] => {
    const matches = findFrames(data, text);
    return [...matches.keys()]
      .filter((i) => matches[i] === 1)
      .map((i) => {
        const { frames, strings } = data;
        const file = strings[frames.file[i] as number];
        return `${strings[frames.function[i] as number]}|${file}:${frames.line[i]}:${frames.column[i]}|${strings[frames.source[i] as number]}`;
      });
  };
  const all = found("");

  it.each(["scanline", "READROW", "src/csv", "node:", "allocUnsafeSlow", "sharpen("])("finds %s", (text) => {
    const expected = all.filter((line) => line.toLowerCase().includes(text.toLowerCase()));
    expect(found(text)).toEqual(expected);
    if (text !== "allocUnsafeSlow") expect(expected.length).toBeGreaterThan(0);
  });

  it("means a line and not the lines that begin like it", () => {
    const [, place = ""] = /\|.*\/(.*:\d+):\d+\|/.exec(all.find((line) => line.includes(".ts:")) ?? "") ?? [];
    expect(found(place).length).toBeGreaterThan(0);
    expect(found(place)).toEqual(all.filter((line) => line.includes(`/${place}:`)));
    const short = place.replace(/\d$/, "");
    expect(found(short)).toEqual(all.filter((line) => line.includes(`/${short}:`)));
  });

  it("takes a regular expression, of names and of places", () => {
    expect(found("/^(parse|decode)Row$/")).toEqual(all.filter((line) => /^(parse|decode)Row\|/.test(line)));
    const places = found("/\\.ts:1\\d:/");
    expect(places.length).toBeGreaterThan(0);
    expect(places).toEqual(all.filter((line) => /\.ts:1\d:/.test(line)));
    expect(found("/(/")).toEqual(all);
  });
});

describe("what is left", () => {
  it("is added up, and written as CSV in the order of the screen", () => {
    const state = new TableState(data);
    state.search.value = "scanline";
    state.sortBy("allocations");
    const shown = [...state.shown.value];
    expect(shown.length).toBeGreaterThan(3);
    expect(shown.length).toBeLessThan(state.rows.value.length);
    const text = [...csvOf(data, state.rows.value, shown)].join("");
    const records = parse(text, { columns: true }) as Record<string, string>[];
    expect(records.length).toBe(shown.length);
    expect(records.map(({ allocations }) => Number(allocations))).toEqual(
      shown.map((row) => state.rows.value.allocations[row]),
    );
    const sum = records.reduce((bytes, { size }) => bytes + Number(size), 0);
    expect(state.totals.value.bytes).toBe(sum);
    for (const line of records) expect(`${line.function} ${line.source}`.toLowerCase()).toContain("scanline");
  });

  it("comes back from CSV whatever the names hold", () => {
    const evil = 'a "quoted",\r\nname';
    const one = tableOf([record({ path: [frame(evil, `/x/${evil}.ts`, 4, 2)], size: 5, threadName: "t,1" })]);
    const rows = groupRows(one, OPTIONS);
    const [header, line] = parse([...csvOf(one, rows, [0])].join("")) as string[][];
    expect(header).toEqual("thread,size,allocator,allocations,function,file,line,column,source".split(","));
    expect(line).toEqual(["t,1", "5", "malloc", "1", evil, `/x/${evil}.ts`, "4", "2", ""]);
  });
});

describe("the rows on the screen", () => {
  it("are those at the scroller's place", () => {
    expect(rowWindow(100, { top: 0, height: 280 })).toEqual({ first: 0, end: 10, offset: 0 });
    expect(rowWindow(100, { top: 30, height: 280 })).toEqual({ first: 1, end: 12, offset: -2 });
    expect(rowWindow(3, { top: 0, height: 280 })).toEqual({ first: 0, end: 3, offset: 0 });
    expect(rowWindow(0, { top: 0, height: 280 }).end).toBe(0);
  });

  it.each([10_000, 1_000_000, 50_000_000])("reach the first and the last of %d", (count) => {
    const height = 700;
    const bottom = contentHeight(count) - height;
    expect(contentHeight(count)).toBeLessThan(17_800_000);
    expect(rowWindow(count, { top: 0, height }).first).toBe(0);
    const last = rowWindow(count, { top: bottom, height });
    expect(last.end).toBe(count);
    expect(last.offset + (last.end - last.first) * ROW_HEIGHT).toBeCloseTo(height, 3);
    const random = randomNumbers(5);
    let top = 0;
    for (let i = 0; i < 200; i++) {
      const row = Math.floor(random() * count);
      top = scrollTo(row, count, { top, height });
      const { first, end } = rowWindow(count, { top, height });
      expect(row).toBeGreaterThanOrEqual(first);
      expect(row).toBeLessThan(end);
    }
  });
});
