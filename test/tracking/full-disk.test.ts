import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { FileReader } from "../../src/analysis/file-reader.js";
import { cliPath, type Ended, type Folder, node, root, temporaryFolder } from "../support/heapray.js";
import { nodeVersions } from "../support/node-versions.js";
import { expected, found, program, trailerOf, truthsOf } from "./truth.js";

let folder: Folder;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.remove());

/** Two megabytes, less than the capture would need. */
const LIMIT = 2 * 1024 * 1024;

/** Enough for what an aggregated capture holds while the program runs, and too little for its sums. */
const LIMIT_AT_END = LIMIT * 0.75;

/** Runs a command that may write files of no more than this. */
function limited(binary: string, args: readonly string[], limit = LIMIT): Ended {
  // The shell counts in half kilobytes.
  const command = ["-c", `ulimit -f ${limit / 512}; exec "$@"`, "sh", binary, ...args];
  const { status, signal, stdout, stderr } = spawnSync("sh", command, {
    cwd: folder.path,
    encoding: "utf8",
    timeout: 60_000,
  });
  return { status, signal, stdout, stderr };
}

/** Mounts a disk of that size, where this is permitted. */
function mountDisk(directory: string, limit = LIMIT): boolean {
  mkdirSync(directory);
  return spawnSync("mount", ["-t", "tmpfs", "-o", `size=${limit}`, "tmpfs", directory]).status === 0;
}

const mountsAllowed = (() => {
  const probe = temporaryFolder();
  const allowed = mountDisk(probe.join("disk"));
  if (allowed) spawnSync("umount", [probe.join("disk")]);
  probe.remove();
  return allowed;
})();

describe.each(nodeVersions)("on $name", ({ path: binary }) => {
  const script = program("talkative.cjs");
  let plain: Ended;
  beforeAll(() => {
    plain = node([script], { node: binary });
  });

  function expectTrackedSoFar({ stderr, ...ended }: Ended, capture: string, reason: string): void {
    expect(ended).toEqual({ status: plain.status, signal: plain.signal, stdout: plain.stdout });
    expect(ended.status).toBe(5);
    expect(stderr).toBe(`heapray: tracking stopped, the program goes on: cannot write ${capture}: ${reason}\n`);
    const truths = truthsOf([script]);
    expect(found(capture, truths)).toEqual(expected(truths));
    expect(trailerOf(capture)).toBe(undefined);
    using reader = new FileReader(capture);
    expect(reader.metadata.complete).toBe(false);
    // It is nearly as large as it could be.
    expect(reader.metadata.totalAllocations).toBeGreaterThan(50_000);
  }

  describe.each([
    ["a mapped file", []],
    ["plain writes", ["--buffered-file-io"]],
  ])("%s", (_, flags) => {
    test("beyond the largest file that is permitted", () => {
      const capture = folder.join("capture.bin");
      const ended = limited(binary, [cliPath, "run", "-q", "-o", capture, ...flags, script]);
      expectTrackedSoFar(ended, capture, "File too large");
    });

    test.runIf(mountsAllowed)("on a full disk", () => {
      const disk = folder.join("disk");
      expect(mountDisk(disk)).toBe(true);
      try {
        const capture = path.join(disk, "capture.bin");
        const ended = node([cliPath, "run", "-q", "-o", capture, ...flags, script], { node: binary });
        expectTrackedSoFar(ended, capture, "No space left on device");
      } finally {
        spawnSync("umount", [disk]);
        rmSync(disk, { recursive: true, force: true });
      }
    });
  });

  describe.each([
    ["exit", { status: 5, signal: null }],
    ["SIGTERM", { status: null, signal: "SIGTERM" }],
  ])("an aggregated capture has no room for its sums at %s", (way, end) => {
    const args = [program("wide.cjs"), way];

    function expectNoData(ended: Ended, capture: string, reason: string): void {
      const stderr = `heapray: the capture is not complete: cannot write ${capture}: ${reason}\n`;
      expect(ended).toEqual({ ...end, stdout: "ends\n", stderr });
      using reader = new FileReader(capture);
      expect(reader.metadata.complete).toBe(false);
      expect(() => reader.metadata.peakMemory).toThrow("has no data");
    }

    test("beyond the largest file that is permitted", () => {
      const capture = folder.join("capture.bin");
      const run = [cliPath, "run", "-q", "--aggregate", "-o", capture, ...args];
      expectNoData(limited(binary, run, LIMIT_AT_END), capture, "File too large");
    });

    test.runIf(mountsAllowed)("on a full disk", () => {
      const disk = folder.join("disk");
      expect(mountDisk(disk, LIMIT_AT_END)).toBe(true);
      try {
        const capture = path.join(disk, "capture.bin");
        const ended = node([cliPath, "run", "-q", "--aggregate", "-o", capture, ...args], { node: binary });
        expectNoData(ended, capture, "No space left on device");
      } finally {
        spawnSync("umount", [disk]);
        rmSync(disk, { recursive: true, force: true });
      }
    });
  });

  test("a tracker tells that its capture is not complete, and the next one works", () => {
    const text = `
      const { Tracker } = require(${JSON.stringify(path.join(root, "dist/index.cjs"))});
      const tracker = new Tracker("a.bin");
      for (let i = 0; i < 150_000; i++) Buffer.allocUnsafeSlow(43 + (i % 1000) * 8);
      const during = tracker.active;
      const complete = tracker.stop();
      const next = new Tracker("b.bin");
      Buffer.allocUnsafeSlow(18041);
      console.log(during, complete, next.active, next.stop());
    `;
    const { stderr, ...ended } = limited(binary, [folder.write("script.cjs", text)]);
    expect(ended).toEqual({ status: 0, signal: null, stdout: "false false true true\n" });
    expect(stderr).toMatch(/^heapray: tracking stopped[^\n]*a\.bin: File too large\n$/);
    expect(trailerOf(folder.join("b.bin"))).toBe("stop");
    expect(Object.keys(found(folder.join("b.bin"), [{ size: 18_041, count: 1, stack: "" }]))).toEqual(["18041"]);
  });
});
