import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { AGGREGATED_HEADER, CaptureWriter, HEADER } from "../support/capture-writer.js";
import { type Folder, heapray, temporaryFolder } from "../support/heapray.js";

let folder: Folder;
beforeEach(() => {
  folder = temporaryFolder();
  const writer = new CaptureWriter();
  const load = writer.stack("main@/srv/app/app.ts:1", "load@/srv/app/load.ts:7");
  const keep = writer.stack("main@/srv/app/app.ts:1", "keep@/srv/app/keep.ts:3");
  writer.malloc(load, 4000, 4096).malloc(keep, 1000, 8192).free(4096);
  folder.write("a.bin", writer.trailer(HEADER.startTimeMs + 100).finish());
});
afterEach(() => folder.remove());

const tree = (...args: string[]) => heapray(["tree", ...args], { cwd: folder.path });

describe("tree, without a terminal", () => {
  test.each([
    [[], "5.000kB (100.00 %) <ROOT>\n└─ 5.000kB (100.00 %) main  "],
    [["-b", "1"], "5.000kB (100.00 %) <ROOT>\n├─ 4.000kB (80.00 %) main  "],
    [["--biggest-allocs=1"], "└─ 1.000kB (20.00 %) 1 allocations from 1 locations below the configured threshold\n"],
    [["--leaks"], "1.000kB (100.00 %) <ROOT>\n└─ 1.000kB (100.00 %) main  "],
    [["--temporary-allocations"], "4.000kB (100.00 %) <ROOT>\n└─ 4.000kB (100.00 %) main  "],
    [["--temporary-allocation-threshold", "0"], "<No allocations>\n"],
  ])("%j", (options, shown) => {
    const { status, stdout, stderr } = tree(...options, "a.bin");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toContain(shown);
    expect(stdout).not.toContain("\u001b");
  });

  test.each([
    [[], "high-water-mark", 5000],
    [["--leaks"], "leaks", 1000],
    [["--temporary-allocations"], "temporary", 4000],
  ])("--json %j", (options, kind, bytes) => {
    const { status, stdout } = tree("--json", ...options, "a.bin");
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ kind, bytes, biggest_allocs: 200 });
  });

  test.each([
    [["-b", "0", "a.bin"], /Give a whole number, 1 or more.*; see "heapray tree --help"/],
    [["-b", "many", "a.bin"], /Give a whole number, 1 or more/],
    [["--leaks", "--temporary-allocations", "a.bin"], /cannot be used with option/],
    [["none.bin"], /there is no file none\.bin\./],
    [["foreign.jpg"], /foreign\.jpg/],
    [["damaged.bin"], /damaged\.bin is damaged at byte \d+/],
    [["--temporary-allocations", "sums.bin"], /sums\.bin is an aggregated capture/],
  ])("refuses %j in one sentence", (args, sentence) => {
    folder.write("foreign.jpg", "\xff\xd8\xff\xe0 not ours ".repeat(99));
    const damaged = new CaptureWriter();
    // A node whose frame nobody defined.
    damaged.malloc(0, 1000, 4096).malloc(damaged.node(0, 99), 10, 8192);
    folder.write("damaged.bin", damaged.finish());
    folder.write("sums.bin", new CaptureWriter(AGGREGATED_HEADER).totals(0, 0).trailer(0).finish());
    for (const format of [[], ["--json"]]) {
      const { status, stdout, stderr } = tree(...format, ...args);
      expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
      expect(stderr).toMatch(/^heapray: [^\n]+\n$/);
      expect(stderr).toMatch(sentence);
    }
  });

  test("an aggregated capture has a tree", () => {
    folder.write("sums.bin", new CaptureWriter(AGGREGATED_HEADER).totals(0, 0).trailer(0).finish());
    expect(tree("sums.bin")).toMatchObject({ status: 0, stdout: "<No allocations>\n", stderr: "" });
  });

  test("--help", () => {
    const { status, stdout } = tree("--help");
    expect(status).toBe(0);
    expect(stdout).toContain("Usage: heapray tree ");
    expect(stdout).toMatch(/\nExamples:\n {2}heapray tree /);
  });
});
