import { afterEach, beforeEach, expect, test } from "vitest";
import { FileReader } from "../../src/analysis/file-reader.js";
import { type Folder, heapray, temporaryFolder } from "../support/heapray.js";
import { nodeVersions } from "../support/node-versions.js";
import { program } from "./truth.js";

let folder: Folder;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.remove());

test.each(nodeVersions.flatMap(({ name, path }) => [[], ["--aggregate"]].map((flags) => ({ name, path, flags }))))(
  "tells where RSS went, on $name $flags",
  ({ path: binary, flags }) => {
    const capture = folder.join("capture.bin");
    const command = ["run", "-q", "-o", capture, ...flags, program("resident.cjs")];
    const { stdout, ...ended } = heapray(command, { node: binary });
    expect(ended).toEqual({ status: 0, signal: null, stderr: "" });
    const { rss, physical } = JSON.parse(stdout);

    using reader = new FileReader(capture);
    const memory = reader.getResidentMemory();
    if (memory === undefined) throw new Error("It does not tell.");
    // What Node.js says is of some moments later; and a look is taken where RSS has grown by a twentieth.
    expect(memory.rss).toBeGreaterThan(rss * 0.9);
    expect(memory.rss).toBeLessThan(rss * 1.1);
    expect(memory.highestRss).toBeLessThan(memory.rss * 1.1);
    const {
      v8HeapUsed,
      v8HeapUnused,
      nativeLive,
      allocatorOverhead,
      codeAndLibraries,
      stacks,
      heapray: own,
      rest,
    } = memory;
    const sum = v8HeapUsed + v8HeapUnused + nativeLive + allocatorOverhead + codeAndLibraries + stacks + own + rest;
    expect(sum).toBe(memory.rss);
    expect(rest).toBeLessThan(memory.rss * 0.02);

    // What V8 takes for resident; its code is not in it.
    expect(v8HeapUsed + v8HeapUnused).toBeGreaterThan(physical * 0.85);
    expect(v8HeapUsed + v8HeapUnused).toBeLessThan(physical * 1.3);
    // The small blocks, the large ones, the WebAssembly memory; what Node.js has itself, and heapray's own small blocks.
    const known = 200_000 * 208 + 64_000_000 + 60_000_000 + 512 * 65536;
    expect(nativeLive).toBeGreaterThan(known);
    expect(nativeLive).toBeLessThan(known + 60_000_000);
    expect(allocatorOverhead).toBeGreaterThan(30_000_000);
    expect(allocatorOverhead).toBeLessThan(120_000_000);
    expect(codeAndLibraries).toBeGreaterThan(20_000_000);
    expect(codeAndLibraries).toBeLessThan(100_000_000);
    expect(stacks).toBeGreaterThan(50_000);
    expect(stacks).toBeLessThan(4_000_000);
    expect(own).toBeGreaterThan(200_000);
    expect(own).toBeLessThan(80_000_000);
  },
);
