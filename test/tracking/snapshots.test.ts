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

/** Expects a value within some part of another. */
function expectNear(value: number | undefined, target: number, tolerance: number): void {
  expect(value).toBeGreaterThan(target * (1 - tolerance));
  expect(value).toBeLessThan(target * (1 + tolerance));
}

test.each(nodeVersions.flatMap(({ name, path }) => [10, 50].map((interval) => ({ name, path, interval }))))(
  "memory each $interval ms, on $name",
  ({ path: binary, interval }) => {
    const capture = folder.join("capture.bin");
    const flags = ["run", "-q", "-o", capture, "--memory-interval-ms", String(interval)];
    const { stdout, ...ended } = heapray([...flags, program("memory.cjs")], { node: binary });
    expect(ended).toEqual({ status: 0, signal: null, stderr: "" });
    const { milliseconds, rss, heapTotal, heapUsed, external } = JSON.parse(stdout);

    using reader = new FileReader(capture);
    const snapshots = [...reader.getMemorySnapshots()];
    const last = snapshots.at(-1);
    if (last === undefined) throw new Error("There are no snapshots.");
    expect(last.timeMs).toBeGreaterThanOrEqual(milliseconds);
    expect(snapshots.map(({ timeMs }) => timeMs)).toEqual(snapshots.map(({ timeMs }) => timeMs).sort((a, b) => a - b));
    // A busy machine lets some of them be late, and none come early.
    expect(snapshots.length).toBeGreaterThan((last.timeMs / interval) * 0.6);
    expect(snapshots.length).toBeLessThan((last.timeMs / interval) * 1.1 + 3);

    expectNear(last.rss, rss, 0.2);
    expectNear(last.heapUsed, heapUsed, 0.2);
    expectNear(last.heapCommitted, heapTotal, 0.2);
    expectNear(last.external, external, 0.1);
    expect(external).toBeGreaterThan(60_000_000);

    let live = 0;
    for (const { size } of reader.getLeakedAllocationRecords()) live += size;
    // What happens between the last snapshot and the end is little.
    expectNear(last.tracked, live, 0.01);
    expect(Math.max(...snapshots.map(({ tracked }) => tracked))).toBeLessThanOrEqual(reader.metadata.peakMemory);
    expect(last.tracked).toBeGreaterThan(60_000_000);
  },
);
