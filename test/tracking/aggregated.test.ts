import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FileReader } from "../../src/analysis/file-reader.js";
import type { AllocationRecord } from "../../src/capture/records.js";
import { AllocatorType } from "../../src/capture/wire.js";
import { cliPath, type Folder, heapray, heaprayUntilReady, node, root, temporaryFolder } from "../support/heapray.js";
import { nodeVersions } from "../support/node-versions.js";
import { program } from "./truth.js";

let folder: Folder;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.remove());

const inFolder = () => ({ cwd: folder.path });

const NO_DATA = "has no data: the process ended before tracking did";

/** What the program's functions hold, where the locations are large enough to be theirs and not V8's by the way. */
function heldBy(records: Iterable<AllocationRecord>): string[] {
  const held: string[] = [];
  for (const record of records) {
    const frame = record.stackTrace().find(({ file }) => file.endsWith("aggregated.cjs"));
    if (frame === undefined || frame.function === "main" || record.size < 500_000) continue;
    // Where V8's heap happens to grow is up to V8.
    if (record.allocator === AllocatorType.HEAP_PAGES) continue;
    held.push(
      `${frame.function}:${frame.line} ${AllocatorType[record.allocator]} ${record.nAllocations} ${record.size}`,
    );
  }
  return held.sort();
}

function figuresOf(capture: string) {
  using reader = new FileReader(capture);
  const peak = heldBy(reader.getHighWatermarkAllocationRecords({ mergeThreads: false }));
  const leaks = heldBy(reader.getLeakedAllocationRecords({ mergeThreads: false }));
  const tracked = [...reader.getMemorySnapshots()].map((snapshot) => snapshot.tracked);
  return { metadata: { ...reader.metadata }, peak, leaks, tracked };
}

const bytesOf = (lines: readonly string[]) =>
  Object.fromEntries(lines.map((line) => [line.split(":")[0], Number(line.split(" ").at(-1))]));

describe.each(nodeVersions)("on $name", ({ path: binary }) => {
  test("an aggregated run has the figures of a run of every allocation", () => {
    const run = (...flags: string[]) => {
      const capture = folder.join(`${flags.length}.bin`);
      const args = ["-q", "-o", capture, "--node-arg=--expose-gc", "--memory-interval-ms", "1", ...flags];
      const ended = heapray(["run", ...args, program("aggregated.cjs")], { node: binary });
      expect(ended).toEqual({ status: 0, signal: null, stdout: "", stderr: "" });
      return figuresOf(capture);
    };
    const all = run();
    const aggregated = run("--aggregate");
    expect(aggregated.metadata).toMatchObject({ fileFormat: "AGGREGATED_ALLOCATIONS", complete: true });
    expect(aggregated.metadata.options.fileFormat).toBe("AGGREGATED_ALLOCATIONS");

    const { peak, leaks, metadata, tracked } = aggregated;
    // The figures of one run agree to the byte (test/native). Two runs differ by when V8's threads free the bookkeeping
    // of buffers; the same places hold the same.
    const places = (lines: readonly string[]) => lines.map((line) => line.split(" ").slice(0, 2).join(" "));
    expect({ peak: places(peak), leaks: places(leaks) }).toEqual({ peak: places(all.peak), leaks: places(all.leaks) });
    // The bytes that the program asks for, and a little for each buffer's bookkeeping.
    const asked = { hold: 100 * 70_001, pass: 80 * 90_001, holdMore: 20 * 50_001 };
    for (const [name, bytes] of [...Object.entries(bytesOf(peak)), ...Object.entries(bytesOf(leaks))]) {
      expect(bytes).toBeGreaterThanOrEqual(asked[name as keyof typeof asked]);
      expect(bytes).toBeLessThan(asked[name as keyof typeof asked] * 1.01);
    }
    expect(Object.keys(bytesOf(peak)).sort()).toEqual(["hold", "pass"]);
    expect(Object.keys(bytesOf(leaks)).sort()).toEqual(["hold", "holdMore"]);
    expect(metadata.peakMemory).toBeGreaterThan(asked.hold + asked.pass);
    expect(metadata.peakMemory / all.metadata.peakMemory).toBeCloseTo(1, 0);
    expect(metadata.totalAllocations / all.metadata.totalAllocations).toBeCloseTo(1, 0);
    expect(Math.max(...tracked)).toBeLessThanOrEqual(metadata.peakMemory);
    expect(tracked.at(-1)).toBeGreaterThanOrEqual(asked.hold + asked.holdMore);
  });

  test("a killed process leaves a capture without data, and every command says so", async () => {
    const script = folder.write(
      "wait.cjs",
      "globalThis.kept = Buffer.alloc(1e6); console.log('ready');\nsetInterval(() => {}, 1000);",
    );
    const args = ["run", "--aggregate", "-o", "killed.bin", script];
    const { stderr } = await heaprayUntilReady(args, (pid) => process.kill(childOf(pid), "SIGKILL"), {
      ...inFolder(),
      node: binary,
    });
    expect(stderr).toBe(
      "[heapray] killed.bin has no data: the process ended before tracking did; without --aggregate it would have.\n",
    );
    for (const command of ["flamegraph", "summary", "transform csv"]) {
      for (const leaks of [[], ["--leaks"]]) {
        const ended = heapray([...command.split(" "), ...leaks, "killed.bin"], inFolder());
        expect({ status: ended.status, stdout: ended.stdout }).toEqual({ status: 1, stdout: "" });
        expect(ended.stderr).toMatch(new RegExp(`^heapray: killed\\.bin ${NO_DATA}[^\n]*\n$`));
      }
    }
    expect(readdirSync(folder.path).sort()).toEqual(["killed.bin", "wait.cjs"]);
  });

  test.each(["tracker.stop();", "process.exit(3);", "throw new Error('expected');"])("is complete after %s", (end) => {
    const script = folder.write(
      "end.mjs",
      `import { FileDestination, FileFormat, Tracker } from ${JSON.stringify(`${root}/dist/index.js`)};
       const destination = new FileDestination("end.bin");
       const tracker = new Tracker({ destination, fileFormat: FileFormat.AGGREGATED_ALLOCATIONS });
       globalThis.kept = Buffer.alloc(5_000_000);
       ${end}`,
    );
    node([script], { ...inFolder(), node: binary });
    using reader = new FileReader(folder.join("end.bin"));
    expect(reader.metadata).toMatchObject({ complete: true, fileFormat: "AGGREGATED_ALLOCATIONS" });
    const [largest] = [...reader.getLeakedAllocationRecords()].sort((a, b) => b.size - a.size);
    expect(largest?.size).toBeGreaterThanOrEqual(5_000_000);
    expect(largest?.stackTrace().some(({ file, line }) => file === script && line === 4)).toBe(true);
  });
});

/** The tracked program of `heapray run`. */
function childOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ")[0]);
}

test("its capture is small, however many allocations there are", () => {
  const run = (...flags: string[]) => {
    const code = "for (let i = 0; i < 3e5; i++) Buffer.allocUnsafeSlow(2000)";
    expect(heapray(["run", "-q", "-f", "-o", "a.bin", ...flags, "-e", code], inFolder()).status).toBe(0);
    return statSync(folder.join("a.bin")).size;
  };
  expect(run("--aggregate")).toBeLessThan(100_000);
  expect(run("--no-compress")).toBeGreaterThan(1_000_000);
});

test("the same reports are made of it", () => {
  const code = "globalThis.kept = Array.from({ length: 9 }, () => Buffer.alloc(1e6))";
  const { stderr } = heapray(["run", "--aggregate", "-o", "a.bin", "-e", code], inFolder());
  expect(stderr).toContain("flamegraph a.bin");
  for (const leaks of [[], ["--leaks"]]) {
    const summary = heapray(["summary", ...leaks, "a.bin"], inFolder());
    expect(summary.stdout).toMatch(/ 9\.0\d+MB +[\d.]+% +9\.0\d+MB +[\d.]+% +\d+ +/);
    expect(heapray(["transform", "csv", "-f", "-o", "a.csv", ...leaks, "a.bin"], inFolder()).status).toBe(0);
    const rows = readFileSync(folder.join("a.csv"), "utf8").split("\r\n");
    expect(rows.some((row) => Number(row.split(",")[2]) >= 9e6)).toBe(true);
    expect(heapray(["flamegraph", "-f", "-o", "a.html", ...leaks, "a.bin"], inFolder()).status).toBe(0);
    expect(readFileSync(folder.join("a.html"), "utf8")).toMatch(/^<!doctype html>/i);
  }
});

test("one after another in one process, in both formats", () => {
  const script = folder.write(
    "turns.mjs",
    `import { FileDestination, FileFormat, Tracker } from ${JSON.stringify(`${root}/dist/index.js`)};
     globalThis.kept = [];
     for (let i = 0; i < 6; i++) {
       const fileFormat = i % 2 === 0 ? FileFormat.AGGREGATED_ALLOCATIONS : FileFormat.ALL_ALLOCATIONS;
       using tracker = new Tracker({ destination: new FileDestination(i + ".bin"), fileFormat });
       kept.push(Buffer.alloc(1e6 + i));
       if (i > 0) kept.shift();
     }`
      .replace("using tracker", "const tracker")
      .replace("if (i > 0) kept.shift();", "if (i > 0) kept.shift(); tracker.stop();"),
  );
  expect(node([script], inFolder())).toMatchObject({ status: 0, stderr: "" });
  for (let i = 0; i < 6; i++) {
    using reader = new FileReader(folder.join(`${i}.bin`));
    expect(reader.metadata.fileFormat).toBe(i % 2 === 0 ? "AGGREGATED_ALLOCATIONS" : "ALL_ALLOCATIONS");
    const bytes = [...reader.getHighWatermarkAllocationRecords()].filter(({ size }) => size >= 1e6);
    expect(bytes).toHaveLength(1);
    expect(bytes[0]?.size).toBeLessThan(1.01e6);
  }
});

test("an unknown file format is refused", () => {
  const script = folder.write(
    "bad.mjs",
    `import { FileDestination, Tracker } from ${JSON.stringify(`${root}/dist/index.js`)};
     try { new Tracker({ destination: new FileDestination("bad.bin"), fileFormat: "SOME" }); } catch (error) { console.log(String(error)); }`,
  );
  expect(node([script], inFolder()).stdout).toBe(
    "TypeError: fileFormat is FileFormat.ALL_ALLOCATIONS or FileFormat.AGGREGATED_ALLOCATIONS, not SOME.\n",
  );
  expect(readdirSync(folder.path)).toEqual(["bad.mjs"]);
});

test("kills at any moment leave no data or all of it", async () => {
  const script = folder.write(
    "busy.cjs",
    "const kept = []; let i = 0; console.log('ready'); const end = Date.now() + 150; while (Date.now() < end) kept[i++ % 1000] = Buffer.alloc(500);",
  );
  for (let i = 0; i < 10; i++) {
    const capture = folder.join(`${i}.bin`);
    const child = spawn(process.execPath, [cliPath, "run", "-q", "--aggregate", "-o", capture, script], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    await once(child.stdout, "data");
    const tracked = childOf(child.pid ?? 0);
    // From the middle of the work to after its end.
    setTimeout(() => {
      try {
        process.kill(tracked, "SIGKILL");
      } catch {
        // It has ended already.
      }
    }, 20 * i);
    await once(child, "close");
    using reader = new FileReader(capture);
    if (reader.metadata.complete) expect(reader.metadata.peakMemory).toBeGreaterThan(0);
    else expect(() => reader.metadata.peakMemory).toThrow(NO_DATA);
  }
});
