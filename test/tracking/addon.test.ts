import { execFileSync } from "node:child_process";
import { realpathSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FileReader } from "../../src/analysis/file-reader.js";
import { AllocatorType } from "../../src/capture/wire.js";
import { type Folder, heapray, temporaryFolder } from "../support/heapray.js";
import { nodeVersions } from "../support/node-versions.js";
import { expected, found, isRelease, ownStack, placesOf, program, truthsOf } from "./truth.js";

// What native code does, in an object that is loaded after the tracker has started.

const frames = { "with frame pointers": "-fno-omit-frame-pointer", "without frame pointers": "-fomit-frame-pointer" };

let folder: Folder;
beforeAll(() => {
  folder = temporaryFolder();
  // Node-API is the same in all versions.
  const headers = path.resolve(realpathSync(process.execPath), "../../include/node");
  for (const [name, flag] of Object.entries(frames)) {
    const flags = ["-shared", "-fPIC", "-O2", "-std=c++17", flag, `-I${headers}`];
    execFileSync("g++", [...flags, "-o", folder.join(`${name}.node`), program("addon.cc")]);
  }
});
afterAll(() => folder.remove());

/** Pages that the program leaves mapped, by the place that mapped them. */
const PAGES_LEFT = { mmap: 1009 - 100, commit: 1013 - 13 - 11, "commit-again": 20, mremap: 1021 };

describe.each(nodeVersions)("on $name", ({ path: binary }) => {
  test.each(Object.keys(frames))("an addon %s", (name) => {
    const script = program("addon.cjs");
    const capture = folder.join("capture.bin");
    const ended = heapray(["run", "-q", "-f", "-o", capture, script, folder.join(`${name}.node`)], { node: binary });
    expect(ended).toEqual({ status: 0, signal: null, stdout: "", stderr: "" });
    const truths = truthsOf([script]);
    expect(found(capture, truths)).toEqual(expected(truths));

    using reader = new FileReader(capture);
    const left: Record<string, number> = {};
    for (const record of reader.getLeakedAllocationRecords()) {
      const [innermost = ""] = ownStack(record.stackTrace()).split(" < ");
      const key = `${innermost} ${record.allocator === AllocatorType.MMAP ? "pages" : "bytes"}`;
      if (innermost.includes("addon.cjs")) left[key] = (left[key] ?? 0) + record.size;
    }
    const places = placesOf([script]);
    for (const [place, pages] of Object.entries({ ...PAGES_LEFT, reserve: 0, readOnly: 0, "to-grow": 0, gone: 0 })) {
      expect({ place, pages: (left[`${places.get(place)} pages`] ?? 0) / 4096 }).toEqual({ place, pages });
    }
    const blocks = { malloc: 0, realloc: 17_021, "realloc-new": 0, reallocarray: 17_031, calloc: 17_038, freed: 0 };
    for (const [place, bytes] of Object.entries(blocks)) {
      // A call itself may make V8 allocate: never as much as a block.
      const slack = (left[`${places.get(place)} bytes`] ?? 0) - bytes;
      expect({ place, fits: slack >= 0 && slack < 4096 }).toEqual({ place, fits: true });
    }

    const threads = new Map<number, string[]>([17_107, 17_123, 17_127].map((size) => [size, []]));
    for (const { size, allocator, threadName, stackId } of reader.getAllocationRecords()) {
      if (!isRelease(allocator)) threads.get(size)?.push(`${threadName} ${stackId}`);
    }
    // Its own thread has no JavaScript on its stack; a forked child is no business of this capture.
    expect(Object.fromEntries(threads)).toEqual({ 17107: ["addon-thread 0"], 17123: [], 17127: [] });
  });

  test.each(["fork", "bareFork"])("a child made by %s does not write where a killed parent's capture ends", (way) => {
    const capture = folder.join("killed.bin");
    const addon = JSON.stringify(folder.join("with frame pointers.node"));
    const code = `const addon = require(${addon}); addon.${way}(17131); process.kill(process.pid, "SIGKILL")`;
    const flags = ["run", "-q", "-f", "--no-compress", "--memory-interval-ms", "10000", "-o", capture];
    expect(heapray([...flags, "-e", code], { node: binary })).toMatchObject({ signal: "SIGKILL", stderr: "" });
    using reader = new FileReader(capture);
    const sizes = [...reader.getAllocationRecords()].map(({ size }) => size);
    expect(sizes.filter((size) => size === 17_131)).toEqual([]);
    expect(sizes.length).toBeGreaterThan(100);
  });
});
