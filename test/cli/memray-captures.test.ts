import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Folder, heapray, temporaryFolder } from "../support/heapray.js";
import { lz4Frame } from "../support/lz4.js";
import { MemrayWriter, memrayAggregatedCapture, memrayCapture } from "../support/memray-capture.js";

let folder: Folder;
beforeAll(() => {
  folder = temporaryFolder();
  folder.write("memray-app.py.77.bin", lz4Frame(memrayCapture()));
  folder.write("plain.bin", memrayCapture());
  folder.write("aggregated.bin", memrayAggregatedCapture());
  folder.write("old.bin", new MemrayWriter({ version: 11 }).bytes);
  folder.write("killed.bin", memrayCapture().subarray(0, 400));
});
afterAll(() => folder.remove());

const run = (...args: string[]) => heapray(args, { cwd: folder.path });

describe("every command reads what memray wrote", () => {
  it.each([
    ["flamegraph"],
    ["flamegraph", "--leaks", "-f"],
    ["flamegraph", "--temporary-allocations", "-f"],
    ["flamegraph", "--temporal", "-f"],
    ["flamegraph", "--split-threads", "-f"],
    ["table"],
    ["tree"],
    ["tree", "--json"],
    ["summary"],
    ["stats"],
    ["stats", "--json"],
    ["parse"],
    ["transform", "pprof"],
    ["transform", "speedscope"],
    ["transform", "csv"],
    ["transform", "gprof2dot"],
  ])("%s", (...args) => {
    const { status, stderr } = run(...args, "memray-app.py.77.bin");
    // Its module is not on this machine.
    expect(stderr).toMatch(/^(heapray: \/lib\/python cannot be read here[^\n]*\n)?$/);
    expect(status).toBe(0);
  });

  it("compares two of them", () => {
    const { status, stdout } = run("diff", "plain.bin", "memray-app.py.77.bin");
    expect(status).toBe(0);
    expect(stdout).toContain("0.000B");
  });

  it.each([["flamegraph"], ["table"], ["tree"], ["summary"], ["parse"]])("%s of an aggregated one", (command) => {
    expect(run(command, "aggregated.bin").status).toBe(0);
  });

  it("statistics of an aggregated one are refused in a sentence", () => {
    const { status, stderr } = run("stats", "aggregated.bin");
    expect(status).toBe(1);
    expect(stderr).toMatch(/^heapray: aggregated\.bin is an aggregated capture[^\n]*\n$/);
  });

  it("tells of a version that it does not read", () => {
    const { status, stderr, stdout } = run("summary", "old.bin");
    expect([status, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(
      /^heapray: old\.bin is a memray capture of format 11, written by memray 1\.11 to 1\.18; [^\n]*\n$/,
    );
  });

  it("reads what a process that was killed left", () => {
    const { status, stdout } = run("summary", "killed.bin");
    expect(status).toBe(0);
    expect(stdout).toContain("at the peak");
  });
});
