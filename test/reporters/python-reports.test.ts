import { mkdirSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { CaptureReader } from "../../src/analysis/capture-reader.js";
import { allocationTree } from "../../src/reporters/allocation-tree.js";
import { disclosureOf } from "../../src/reporters/confidential-files.js";
import { writeCsv } from "../../src/reporters/csv.js";
import { flameGraphData } from "../../src/reporters/flamegraph.js";
import { Category, MemoryKind } from "../../src/reporters/flamegraph-data.js";
import { PLAIN } from "../../src/reporters/paint.js";
import { pageTitle } from "../../src/reporters/report-page.js";
import { writeSpeedscope } from "../../src/reporters/speedscope.js";
import { statsJson } from "../../src/reporters/stats-json.js";
import { statsText } from "../../src/reporters/stats-text.js";
import { renderSummary, summarize, summaryJson } from "../../src/reporters/summary.js";
import { tableData } from "../../src/reporters/table.js";
import { treeText } from "../../src/reporters/tree-text.js";
import { SourceText } from "../../src/symbols/source-text.js";
import { readTextFile } from "../../src/symbols/text-files.js";
import { temporaryFolder } from "../support/heapray.js";
import { readerOf } from "../support/memory-reader.js";
import { PYTHON_HEADER, pythonCapture } from "../support/python-capture.js";

const plain = readerOf(pythonCapture().finish());
const pymalloc = readerOf(pythonCapture({ pymalloc: true }).finish());
const CWD = "/srv/app";

const peak = (reader: CaptureReader) => [...reader.getHighWatermarkAllocationRecords({ mergeThreads: false })];

function summaryOf(reader: CaptureReader) {
  return summarize({ records: peak(reader), metadata: reader.metadata, kind: "high-water-mark", top: 10 });
}

describe("the summary", () => {
  test("golden: the program's lines answer, and what has none is said so", () => {
    expect(renderSummary(summaryOf(plain), CWD)).toBe(
      [
        "/usr/bin/python3 -X dev app.py --fast",
        "  python 3.13.1, pid 4711, 2.5 s",
        "  17.800kB at the peak, 7 allocations in all",
        "",
        "17.800kB in 7 allocations held at the peak; 100.0% of it on these 5 lines:",
        "",
        "     total            <own>         allocations  line",
        "   6.000kB  33.7%   6.000kB  33.7%            1  store.py:13  Store.load.<locals>.<listcomp>",
        "  12.100kB  68.0%   5.100kB  28.7%            3  app.py:40  <module>",
        "   5.000kB  28.1%   5.000kB  28.1%            1  app.py:30  worker.<locals>.<lambda>",
        "   1.000kB   5.6%   1.000kB   5.6%            1  <string>:1  <module>",
        "  700.000B   3.9%  700.000B   3.9%            1  thread loader, no Python",
        "",
      ].join("\n"),
    );
  });

  test("tells Python's own allocator from native memory", () => {
    expect(renderSummary(summaryOf(pymalloc), CWD)).toContain(
      "\n  5.700kB native and 12.100kB of Python's own allocator, held at the peak\n",
    );
    expect(JSON.parse(summaryJson(summaryOf(pymalloc)))).toMatchObject({ bytes: 17_800, python_bytes: 12_100 });
    expect(JSON.parse(summaryJson(summaryOf(plain)))).not.toHaveProperty("js_bytes");
  });
});

describe("the statistics", () => {
  const stats = (reader: CaptureReader) => reader.getStatistics({ numLargest: 3 });

  test("golden: RSS without a heap of V8's, modules by package", () => {
    const resident = plain.getResidentMemory();
    const text = statsText(stats(plain), plain.metadata, { resident, cwd: CWD, paint: PLAIN });
    expect(text.slice(text.indexOf("Where RSS went"), text.indexOf("\n\nHistogram"))).toBe(
      [
        "Where RSS went: 40.000kB after 0.0 s",
        "  21.000kB  52.5%  live memory, Python's arenas included",
        "   3.000kB   7.5%  freed and kept by malloc",
        "  12.000kB  30.0%  code, libraries and other files",
        "   2.000kB   5.0%  threads' stacks",
        "   1.000kB   2.5%  heapray itself",
        "   1.000kB   2.5%  rest",
      ].join("\n"),
    );
    expect(text.slice(text.indexOf("Allocator type"))).toBe(
      [
        "Allocator type distribution",
        "  5  MALLOC",
        "  1  REALLOC",
        "  1  CALLOC",
        "",
        "Top 3 largest allocating locations (by size)",
        "  6.000kB  store.py:13  Store.load.<locals>.<listcomp>",
        "  5.100kB  app.py:40  <module>",
        "  5.000kB  app.py:30  worker.<locals>.<lambda>",
        "",
        "Top 3 largest allocating locations (by number of allocations)",
        "  3  app.py:40  <module>",
        "  1  store.py:13  Store.load.<locals>.<listcomp>",
        "  1  app.py:30  worker.<locals>.<lambda>",
        "",
        "Top 3 allocating modules (by size)",
        "  8.000kB  2 allocations  app.py",
        "  6.000kB  1 allocations  store.py",
        "  2.000kB  1 allocations  requests",
        "",
        "Top 3 allocating modules (by number of allocations)",
        "  8.000kB  2 allocations  app.py",
        "  6.000kB  1 allocations  store.py",
        "  2.000kB  1 allocations  requests",
        "",
      ].join("\n"),
    );
  });

  test("as JSON, with the names of pymalloc's allocators", () => {
    const data = JSON.parse(statsJson(stats(pymalloc), pymalloc.metadata, pymalloc.getResidentMemory()));
    expect(data.allocator_type_distribution).toEqual({
      PYMALLOC_MALLOC: 3,
      MALLOC: 2,
      PYMALLOC_REALLOC: 1,
      PYMALLOC_CALLOC: 1,
    });
    expect(data.metadata).toMatchObject({ runtime: "python 3.13.1", trace_python_allocators: true });
    expect(data.metadata).not.toHaveProperty("trace_js_heap");
    expect(Object.keys(data.rss_at_peak).filter((key) => key.startsWith("v8"))).toEqual([]);
    expect(data.rss_at_peak.native_live).toBe(21_000);
  });
});

test("golden: the tree leaves out what starts threads and loads modules", () => {
  const tree = allocationTree(peak(plain), 200);
  expect([...treeText(tree, CWD)].join("")).toBe(
    [
      "17.800kB (100.00 %) <ROOT>",
      "├─ 12.100kB (67.98 %) <module>  app.py:40",
      "│  ├─ 6.000kB (33.71 %) Store.load  store.py:12",
      "│  │  6.000kB (33.71 %) Store.load.<locals>.<listcomp>  store.py:13",
      "│  ├─ 3.000kB (16.85 %) loads  /usr/lib/python3.13/json/__init__.py:346",
      "│  │  3.000kB (16.85 %) JSONDecoder.decode  /usr/lib/python3.13/json/decoder.py:345",
      "│  ├─ 2.000kB (11.24 %) <module>  .venv/lib/python3.13/site-packages/requests/api.py:11",
      "│  ├─ 1.000kB (5.62 %) <module>  <string>:1",
      "│  └─ 100.000B (0.56 %) <module>  .venv/lib/python3.13/site-packages/six.py:5",
      "├─ 5.000kB (28.09 %) worker.<locals>.<lambda>  app.py:30",
      "└─ 700.000B (3.93 %) thread loader, no Python",
      "",
    ].join("\n"),
  );
});

describe("pages", () => {
  const data = flameGraphData({
    records: peak(pymalloc),
    snapshots: pymalloc.getMemorySnapshots(),
    metadata: pymalloc.metadata,
    kind: "high-water-mark",
  });
  const bytesOf = (kind: MemoryKind) =>
    data.weights.bytes.reduce((sum, bytes, i) => sum + (data.weights.kind[i] === kind ? bytes : 0), 0);

  test("tell Python's blocks from native memory, and whose code frames are", () => {
    expect([bytesOf(MemoryKind.PYTHON), bytesOf(MemoryKind.NATIVE)]).toEqual([12_100, 5_700]);
    const categories = Array.from(data.frames.function, (name, row) => [
      data.strings[name],
      data.frames.category[row] as Category,
    ]);
    expect(categories).toContainEqual(["Store.load", Category.PROGRAM]);
    expect(categories).toContainEqual(["_find_and_load", Category.INTERNAL]);
    expect(categories).toContainEqual(["JSONDecoder.decode", Category.INTERNAL]);
    expect(categories).toContainEqual(["<module>", Category.DEPENDENCY]);
    expect(categories).toContainEqual(["thread: loader", Category.THREAD]);
  });

  test("tables have the names of the allocators", () => {
    const table = tableData({ records: peak(pymalloc), metadata: pymalloc.metadata, kind: "high-water-mark" });
    expect(new Set(table.allocators)).toEqual(
      new Set(["pymalloc_realloc", "pymalloc_malloc", "pymalloc_calloc", "malloc"]),
    );
  });

  test("are called after the script, whatever Python's own options", () => {
    expect(pageTitle(plain.metadata, "leaks")).toBe("app.py · leaks · heapray");
    const commandLine = ["/usr/bin/python3", "-m", "http.server", "8000"];
    expect(pageTitle({ ...plain.metadata, commandLine }, "leaks")).toBe("http.server · leaks · heapray");
  });
});

test("CSV and speedscope have Python's frames as they are", () => {
  let csv = "";
  writeCsv(peak(pymalloc), (chunk) => {
    csv += chunk;
  });
  expect(csv).toContain(
    "PYMALLOC_REALLOC,1,6000,4711,0x1267 (MainThread),Store.load.<locals>.<listcomp>;/srv/app/store.py;13|Store.load;/srv/app/store.py;12|<module>;/srv/app/app.py;40\r\n",
  );
  let json = "";
  writeSpeedscope({ records: peak(plain), metadata: plain.metadata }, (chunk) => {
    json += chunk;
  });
  const frames = JSON.parse(json).shared.frames;
  expect(frames).toContainEqual({ name: "Store.load", file: "/srv/app/store.py", line: 12 });
  expect(frames).toContainEqual({ name: "thread loader, no Python" });
});

describe("files", () => {
  const folder = temporaryFolder();
  beforeAll(() => {
    mkdirSync(folder.join("project/pkg"), { recursive: true });
    writeFileSync(folder.join("project/pyproject.toml"), "");
    writeFileSync(folder.join("project/pkg/app.py"), 'name = "a\u2028b"\nvalue = bytearray(10)\n');
  });
  afterAll(() => folder.remove());

  test("of Python have Python's lines", () => {
    const text = new SourceText(readTextFile);
    expect(text.line(folder.join("project/pkg/app.py"), 2)).toBe("value = bytearray(10)");
    expect(text.line("<string>", 1)).toBeUndefined();
  });

  test("of the project are those below its pyproject.toml, of a script as it was typed", () => {
    const run = { ...PYTHON_HEADER, cwd: folder.join("project/pkg"), commandLine: ["python3", "-u", "app.py"] };
    const disclosure = disclosureOf("default", run, "/home/ada");
    expect(disclosure.showsSource(folder.join("project/other.py"))).toBe(true);
    expect(disclosure.showsSource("/usr/lib/python3.13/abc.py")).toBe(false);
  });

  test("where all are confidential, the command is the program and the script", () => {
    const run = { ...PYTHON_HEADER, commandLine: ["/usr/bin/python3", "-X", "dev", "/srv/app/app.py", "--token=x"] };
    expect(disclosureOf("all", run).metadata(run)).toMatchObject({ cwd: "", commandLine: ["python3", "app.py"] });
  });
});
