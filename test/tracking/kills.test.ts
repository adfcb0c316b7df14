import { spawn } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FileReader } from "../../src/analysis/file-reader.js";
import { AllocatorType } from "../../src/capture/wire.js";
import type { RunSettings } from "../../src/tracker/run-settings.js";
import { type Folder, root, temporaryFolder } from "../support/heapray.js";
import { nodeVersions } from "../support/node-versions.js";
import { expected, found, program, truthsOf } from "./truth.js";

// SIGKILL at random moments of a busy program. `npm run kills` does so 50 times on each Node.js.

const KILLS = Number(process.env.HEAPRAY_KILLS ?? 4);
/** Milliseconds from the program's start on, within which it is killed. */
const LONGEST_RUN_MS = 500;
/**
 * How much newer the last thing that was told usually is than the last that a capture has, and at most. Records are
 * written a few milliseconds after they are made, and on a loaded machine later.
 */
const USUALLY_LOST_MS = 20;
const MOST_LOST_MS = 200;

let folder: Folder;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.remove());

/** Runs the busy program under a tracker, and kills it after a while. */
function kill(binary: string, afterMs: number, by: NodeJS.Signals = "SIGKILL"): Promise<void> {
  for (const thread of ["main", "worker"]) rmSync(folder.join(`told.${thread}`), { force: true });
  return new Promise((resolve, reject) => {
    const settings: RunSettings = {
      file: folder.join("capture.bin"),
      overwrite: true,
      buffered: false,
      nativeTraces: false,
      embedSymbols: false,
      traceJsHeap: false,
      memoryIntervalMs: 10,
      aggregate: false,
      followFork: false,
      parent: process.pid,
    };
    const args = ["--require", path.join(root, "dist/preload.cjs"), program("busy.cjs"), folder.join("told")];
    const env = { ...process.env, HEAPRAY_RUN: JSON.stringify(settings) };
    const child = spawn(binary, args, { env, stdio: ["ignore", "pipe", "inherit"], timeout: 20_000 });
    child.stdout.once("data", () => setTimeout(() => child.kill(by), afterMs));
    child.on("error", reject);
    child.on("close", (_, signal) => {
      if (signal === by) resolve();
      else reject(new Error(`The program ended by itself: ${signal}.`));
    });
  });
}

interface Told {
  readonly count: number;
  readonly time: number;
}

/** What a thread told of late: how often it had allocated, and when; the oldest first. */
function told(thread: string): Told[] {
  const file = folder.join(`told.${thread}`);
  const lines = existsSync(file) ? readFileSync(file, "utf8").split("\n") : [];
  return (
    lines
      .map((line) => line.trim().split(" ").map(Number))
      // A kill may leave half a line.
      .filter((numbers) => numbers.length === 2 && numbers.every((number) => number > 0))
      .map(([count = 0, time = 0]) => ({ count, time }))
      .sort((a, b) => a.count - b.count)
  );
}

/**
 * What the JavaScript threads held at the peak, in bytes: with a stack whose every frame has a name and a file, with
 * frames that have not, and without any stack (what Node.js does before it runs JavaScript). When V8's heap grows is up
 * to V8.
 */
function namedAtPeak(capture: string): { named: number; nameless: number; stackless: number } {
  const bytes = { named: 0, nameless: 0, stackless: 0 };
  using reader = new FileReader(capture);
  for (const record of reader.getHighWatermarkAllocationRecords({ mergeThreads: false })) {
    if (!/MainThread|WorkerThread/u.test(record.threadName) || record.allocator === AllocatorType.HEAP_PAGES) continue;
    const stack = record.stackTrace();
    const named = stack.every((frame) => frame.function !== "" && frame.file !== "");
    bytes[stack.length === 0 ? "stackless" : named ? "named" : "nameless"] += record.size;
  }
  return bytes;
}

describe.each(nodeVersions)("on $name", ({ path: binary }) => {
  test(`${KILLS} kills at random moments`, { timeout: 120_000 + KILLS * 5000 }, async () => {
    const [main, worker] = truthsOf([program("busy.cjs")]);
    if (main === undefined || worker === undefined) throw new Error("busy.cjs tells two truths.");
    const lost: number[] = [];
    const shares: number[] = [];
    const capture = folder.join("capture.bin");
    await kill(binary, LONGEST_RUN_MS, "SIGTERM");
    const whole = namedAtPeak(capture);
    for (let i = 0; i < KILLS; i++) {
      await kill(binary, Math.random() * LONGEST_RUN_MS);
      for (const [truth, thread] of [
        [main, "main"],
        [worker, "worker"],
      ] as const) {
        const all = told(thread);
        const last = all.at(-1);
        if (last === undefined) continue;
        // One line each: every stack is whole.
        const [line = "", ...others] = found(capture, [truth])[truth.size] ?? [];
        const captured = Number(line.split(" ")[0]);
        expect(others).toEqual([]);
        if (captured > 0) expect(line).toBe(expected([{ ...truth, count: captured }])[truth.size]?.[0]);
        // The file is written after each twentieth.
        expect(captured).toBeLessThanOrEqual(last.count + 20);
        const got = all.findLast(({ count }) => count <= captured);
        if (got !== undefined) lost.push(last.time - got.time);
        else expect(last.time - (all[0]?.time ?? 0)).toBeLessThanOrEqual(MOST_LOST_MS);
      }
      const { named, nameless, stackless } = namedAtPeak(capture);
      shares.push(named / (named + nameless));
      // Hardly more than in a run that was not killed: there is a stack wherever there can be one. (While the worker
      // boots, without JavaScript yet, the peak is another one than later.)
      if ((told("worker").at(-1)?.count ?? 0) >= 200) expect(stackless).toBeLessThan(whole.stackless * 1.5);
    }
    const sorted = lost.sort((a, b) => a - b);
    const summary = { median: sorted[sorted.length >> 1], longest: sorted.at(-1), named: Math.min(...shares) };
    if (process.env.HEAPRAY_KILLS) console.log(`${KILLS} kills, ms told but not recorded:`, summary);
    expect(summary.named).toBeGreaterThan(0.99);
    expect(summary.median).toBeLessThanOrEqual(USUALLY_LOST_MS);
    expect(summary.longest).toBeLessThanOrEqual(MOST_LOST_MS);
  });
});
