import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FileReader } from "../../src/analysis/file-reader.js";
import type { RunSettings } from "../../src/tracker/run-settings.js";
import { type Folder, heapray, node, root, temporaryFolder } from "../support/heapray.js";
import { nodeVersions } from "../support/node-versions.js";
import { expected, found, program, trailerOf, truthsOf } from "./truth.js";

let folder: Folder;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.remove());

/** Ways to end, and what the capture's trailer says; nothing when the process had no time left to write one. */
const ENDS: [string, string | undefined][] = [
  ["end", "exit"],
  ["exit", "exit"],
  ["exception", "exit"],
  ["rejection", "exit"],
  ["workerExit", "exit"],
  ["workerRuns", "exit"],
  ["reallyExit", "exit"],
  ["SIGTERM", "signal 15"],
  ["SIGSEGV", "signal 11"],
  ["SIGKILL", undefined],
  ["abort", "signal 6"],
  ["outOfMemory", "signal 6"],
];

/** What the program says in its last milliseconds may not be in the capture yet; more of them on a loaded machine. */
const LATEST_MS = 100;

interface Said {
  /** How often the program said to have allocated. */
  readonly count: number;
  /** What it had said LATEST_MS before it was killed. */
  readonly before: number;
}

/** Runs the endless program under a tracker and kills it after a while. */
function killed(binary: string, capture: string, milliseconds: number): Promise<Said> {
  return new Promise((resolve, reject) => {
    const settings: RunSettings = {
      file: capture,
      overwrite: false,
      buffered: false,
      nativeTraces: false,
      embedSymbols: false,
      memoryIntervalMs: 10,
      aggregate: false,
      traceJsHeap: false,
      followFork: false,
      parent: process.pid,
    };
    const args = ["--require", path.join(root, "dist/preload.cjs"), program("endless.cjs")];
    const env = { ...process.env, HEAPRAY_RUN: JSON.stringify(settings) };
    const child = spawn(binary, args, { env, stdio: ["ignore", "pipe", "inherit"], timeout: 20_000 });
    let text = "";
    let time = 0;
    child.stdout.setEncoding("utf8").on("data", (part: string) => {
      if (text === "") {
        setTimeout(() => {
          time = Date.now();
          child.kill("SIGKILL");
        }, milliseconds);
      }
      text += part;
    });
    child.on("error", reject);
    child.on("close", (_, signal) => {
      const said = text
        .split("\n")
        .slice(1, -1)
        .map((line) => line.split(" ").map(Number));
      const before = said.filter(([, when = 0]) => when <= time - LATEST_MS);
      if (signal === "SIGKILL") resolve({ count: said.at(-1)?.[0] ?? 0, before: before.at(-1)?.[0] ?? 0 });
      else reject(new Error(`The program ended by itself: ${signal}.`));
    });
  });
}

describe.each(nodeVersions)("on $name", ({ path: binary }) => {
  test.each(ENDS)("a program that ends by %s", (way, trailer) => {
    const on = { cwd: folder.path, node: binary };
    const script = program("ends.cjs");
    const flags = way === "outOfMemory" ? ["--max-old-space-size=40"] : [];
    const plain = node([...flags, script, way], on);
    const nodeArgs = flags.map((flag) => `--node-arg=${flag}`);
    const tracked = heapray(["run", "-q", "-o", "capture.bin", ...nodeArgs, script, way], on);
    const { status, signal, stdout } = plain;
    expect(tracked).toMatchObject({ status, signal, stdout });
    // Crashes tell of addresses, and of the stack that the tracker is in.
    if (!["abort", "outOfMemory"].includes(way)) expect(tracked.stderr).toBe(plain.stderr);
    expect({ failed: status !== 0 }).toEqual({ failed: true });

    const capture = folder.join("capture.bin");
    const truths = truthsOf([script]);
    expect(found(capture, truths)).toEqual(expected(truths));
    expect(trailerOf(capture)).toBe(trailer);
    using reader = new FileReader(capture);
    expect(reader.metadata.complete).toBe(trailer !== undefined);
    expect(reader.metadata.peakMemory).toBeGreaterThan(200 * 16_007);
  });

  test.each([0, 3, 17, 150, 300])("killed after %d ms, a capture holds what was allocated until then", async (wait) => {
    const capture = folder.join("capture.bin");
    const said = await killed(binary, capture, wait);
    const [truth] = truthsOf([program("endless.cjs")]);
    if (truth === undefined) throw new Error("endless.cjs tells one truth.");
    const lines = found(capture, [truth])[truth.size] ?? [];
    if (said.before > 0) expect(lines).toHaveLength(1);
    for (const line of lines) {
      const [count = "", stack] = line.split(" x ");
      expect(Number(count)).toBeGreaterThanOrEqual(said.before);
      expect(Number(count)).toBeLessThan(said.count + 2000);
      expect(stack).toBe(truth.stack);
    }
    using reader = new FileReader(capture);
    expect(reader.metadata.complete).toBe(false);
    expect([...reader.getMemorySnapshots()].length).toBeGreaterThan(0);
  });

  test("what child processes allocate stays out of the capture", () => {
    const child = folder.write(
      "child.cjs",
      "for (let i = 0; i < 100; i++) Buffer.allocUnsafeSlow(16411); console.log('child')",
    );
    const args = ["run", "-q", "-o", "capture.bin", program("parent.cjs"), child];
    const ended = heapray(args, { cwd: folder.path, node: binary });
    expect(ended).toEqual({ status: 0, signal: null, stdout: "child\n".repeat(5), stderr: "" });
    const capture = folder.join("capture.bin");
    const truths = truthsOf([program("parent.cjs")]);
    expect(found(capture, truths)).toEqual(expected(truths));
    expect(found(capture, [{ size: 16_411, count: 0, stack: "" }])).toEqual({});
    expect(trailerOf(capture)).toBe("exit");
    expect(readdirSync(folder.path).sort()).toEqual(["capture.bin", "child.cjs"]);
  });
});
