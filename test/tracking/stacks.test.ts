import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FileReader } from "../../src/analysis/file-reader.js";
import { AllocatorType } from "../../src/capture/wire.js";
import { type Folder, heapray, temporaryFolder } from "../support/heapray.js";
import { nodeVersions } from "../support/node-versions.js";
import { expected, found, inlinedFunctions, isRelease, ownStack, program, truthsOf } from "./truth.js";

let folder: Folder;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.remove());

interface Compiled {
  readonly how: string;
  readonly flags: (majorVersion: number) => string[];
  /** How often the programs do everything. */
  readonly rounds: number;
}

const withoutMaglev = (major: number) => (major >= 22 ? ["--no-maglev"] : []);

/** Ways in which V8 can be told to compile: each has stack frames and position tables of its own. */
const COMPILERS: Compiled[] = [
  { how: "as V8 likes", flags: () => [], rounds: 3000 },
  { how: "to bytecode", flags: (major) => ["--no-opt", "--no-sparkplug", ...withoutMaglev(major)], rounds: 4 },
  { how: "to baseline code", flags: (major) => ["--no-opt", "--always-sparkplug", ...withoutMaglev(major)], rounds: 4 },
  { how: "without baseline code", flags: () => ["--no-sparkplug"], rounds: 3000 },
  { how: "without the middle compiler", flags: withoutMaglev, rounds: 3000 },
  {
    how: "early, while code moves",
    flags: (major) => [
      "--stress-compaction",
      "--gc-interval=5000",
      ...(major < 22
        ? ["--interrupt-budget=2000"]
        : ["--invocation-count-for-maglev=2", "--invocation-count-for-turbofan=4", "--invocation-count-for-osr=4"]),
    ],
    rounds: 400,
  },
];

describe.each(nodeVersions)("on $name", ({ path: binary, version }) => {
  /** Runs a program under the tracker. @returns the capture's path */
  function track(name: string, args: readonly string[] = [], nodeArgs: readonly string[] = []): string {
    const capture = folder.join("capture.bin");
    const flags = nodeArgs.map((flag) => `--node-arg=${flag}`);
    const ended = heapray(["run", "-q", "-f", "-o", capture, ...flags, program(name), ...args], { node: binary });
    expect(ended).toEqual({ status: 0, signal: null, stdout: "", stderr: "" });
    return capture;
  }

  test.each(["kept.cjs", "hot.cjs"])("%s: 5,000,000 bytes at the high-water mark and at the end", (name) => {
    const [truth] = truthsOf([program(name)]).filter(({ size }) => size === 10_000);
    using reader = new FileReader(track(name));
    for (const records of [reader.getHighWatermarkAllocationRecords(), reader.getLeakedAllocationRecords()]) {
      let bytes = 0;
      let blocks = 0;
      for (const record of records) {
        if (ownStack(record.stackTrace()) !== truth?.stack || record.allocator === AllocatorType.HEAP_PAGES) continue;
        bytes += record.size;
        blocks += record.nAllocations;
      }
      // Node.js and V8 allocate what describes them, and what their collector needs, on the same line.
      expect(bytes).toBeGreaterThanOrEqual(5_000_000);
      expect(bytes).toBeLessThan(5_500_000);
      expect(blocks).toBeGreaterThanOrEqual(500);
    }

    const stacks: string[] = [];
    const alive = new Set<number>();
    for (const record of reader.getAllocationRecords()) {
      if (isRelease(record.allocator)) {
        alive.delete(record.address);
      } else if (record.size === 10_000) {
        stacks.push(ownStack(record.stackTrace()));
        alive.add(record.address);
      }
    }
    expect(stacks).toEqual(Array(500).fill(truth?.stack));
    expect(alive.size).toBe(500);
  });

  test("class-bodies.cjs", () => {
    const truths = truthsOf([program("class-bodies.cjs")], 3000);
    expect(found(track("class-bodies.cjs", ["3000"]), truths)).toEqual(expected(truths));
  });

  // Known to fail: Maglev gives the call the position of the function's end.
  const testUnaryPlus = Number.parseInt(version, 10) >= 24 ? test.fails : test;
  testUnaryPlus("unary-plus.cjs", () => {
    const truths = truthsOf([program("unary-plus.cjs")], 5000);
    expect(found(track("unary-plus.cjs", ["5000"]), truths)).toEqual(expected(truths));
  });

  test("deoptimized.cjs", () => {
    const truths = truthsOf([program("deoptimized.cjs")], 3000);
    const capture = track("deoptimized.cjs", ["3000"], withoutMaglev(Number.parseInt(version, 10)));
    expect(found(capture, truths)).toEqual(expected(truths));
  });

  // Known to fail: calls whose return address leads to one of Maglev's exits get the function's last position.
  test.fails.each(Number.parseInt(version, 10) >= 24 ? ["deoptimized.cjs"] : [])("%s, compiled by Maglev", (name) => {
    const truths = truthsOf([program(name)], 3000);
    expect(found(track(name, ["3000"], ["--no-turbofan"]), truths)).toEqual(expected(truths));
  });

  describe.each(COMPILERS)("compiled $how", ({ flags, rounds }) => {
    const nodeArgs = flags(Number.parseInt(version, 10));

    test("hot.cjs", () => {
      const truths = truthsOf([program("hot.cjs")]);
      const capture = track("hot.cjs", [], nodeArgs);
      expect(found(capture, truths)).toEqual(expected(truths));
      const inlined = inlinedFunctions(capture).filter((functions) => functions.endsWith("leaf < mid < run"));
      // Otherwise the test would not have seen what it is for.
      expect(inlined.length > 0).toBe(!nodeArgs.includes("--no-opt"));
    });

    test.each(["callers.cjs", "constructs.cjs", "conversions.cjs"])("%s", (name) => {
      const truths = truthsOf([program(name)], rounds);
      expect(found(track(name, [String(rounds)], nodeArgs), truths)).toEqual(expected(truths));
    });
  });
});
