import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, lstatSync, mkdirSync, readdirSync, statSync, symlinkSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FileReader } from "../../src/analysis/file-reader.js";
import { type Folder, node, root, temporaryFolder } from "../support/heapray.js";
import { nodeVersions } from "../support/node-versions.js";
import { isRelease, trailerOf } from "./truth.js";

const CJS = path.join(root, "dist/index.cjs");

let folder: Folder;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.remove());

/** How often a capture tells of an allocation of this size. */
function countOf(capture: string, size: number): number {
  using reader = new FileReader(capture);
  return [...reader.getAllocationRecords()].filter((r) => r.size === size && !isRelease(r.allocator)).length;
}

/** Tracks into a.bin; told "go", it allocates much more than the file's first mapping holds, and ends. */
const FIRST = `
  const { Tracker } = require(${JSON.stringify(CJS)});
  const tracker = new Tracker({ destination: { path: "a.bin", overwrite: true, buffered: process.argv[2] === "true" } });
  Buffer.allocUnsafeSlow(14029);
  console.log("ready");
  process.stdin.once("data", () => {
    for (let i = 0; i < 150_000; i++) Buffer.allocUnsafeSlow(43 + (i % 1000) * 8);
    console.log(tracker.active, tracker.stop());
    process.exit(3);
  });
`;

describe.each([false, true])("a capture that another process is writing (plain writes: %s)", (buffered) => {
  test("is replaced, and the other process goes on unharmed", async () => {
    const first = spawn(process.execPath, [folder.write("first.cjs", FIRST), String(buffered)], { cwd: folder.path });
    const closed = once(first, "close");
    let out = "";
    let err = "";
    first.stderr.on("data", (text) => {
      err += text;
    });
    await new Promise<void>((resolve) => {
      first.stdout.on("data", (text) => {
        out += text;
        if (out.includes("ready")) resolve();
      });
      closed.then(() => resolve());
    });
    const inode = statSync(folder.join("a.bin")).ino;
    const second = `
      const { Tracker } = require(${JSON.stringify(CJS)});
      const tracker = new Tracker({ destination: { path: "a.bin", overwrite: true, buffered: false } });
      Buffer.allocUnsafeSlow(14033);
      process.exit(tracker.stop() ? 0 : 1);`;
    expect(node(["-e", second], { cwd: folder.path })).toMatchObject({ status: 0, stderr: "" });
    expect(statSync(folder.join("a.bin")).ino).not.toBe(inode);

    first.stdin.end("go");
    expect(await closed).toEqual([3, null]);
    expect({ out, err }).toEqual({ out: "ready\ntrue true\n", err: "" });
    // The name is the second one's; nothing of the first got in there.
    expect([14_029, 14_033].map((size) => countOf(folder.join("a.bin"), size))).toEqual([0, 1]);
    expect(trailerOf(folder.join("a.bin"))).toBe("stop");
  });
});

test("what is no regular file is never replaced", () => {
  mkdirSync(folder.join("directory"));
  expect(spawnSync("mkfifo", [folder.join("fifo")]).status).toBe(0);
  // A device that the system does not let go, should heapray be wrong.
  symlinkSync("/dev/pts/ptmx", folder.join("device"));
  symlinkSync("directory", folder.join("link"));
  const text = `
    const { Tracker, CaptureWriteError } = require(${JSON.stringify(CJS)});
    const results = ["directory", "fifo", "device", "link"].map((path) => {
      try {
        new Tracker({ destination: { path, overwrite: true, buffered: false } });
      } catch (error) {
        return [error instanceof CaptureWriteError, error.errno, error.message];
      }
    });
    console.log(JSON.stringify(results));`;
  const before = readdirSync(folder.path).sort();
  const { stdout, ...ended } = node(["-e", text], { cwd: folder.path });
  expect(ended).toEqual({ status: 0, signal: null, stderr: "" });
  const sentence = (name: string, reason: string) =>
    expect.stringMatching(new RegExp(`^Cannot write the capture ${name}: ${reason}[^\n]*\\.$`));
  expect(JSON.parse(stdout)).toEqual([
    [true, "EISDIR", sentence("directory", "Is a directory")],
    [true, "EOPNOTSUPP", sentence("fifo", "it is not a regular file")],
    [true, "EOPNOTSUPP", sentence("device", "it is not a regular file")],
    [true, "EISDIR", sentence("link", "Is a directory")],
  ]);
  expect(readdirSync(folder.path).sort()).toEqual(before);
  expect(lstatSync(folder.join("fifo")).isFIFO()).toBe(true);
  expect(lstatSync(folder.join("device")).isSymbolicLink()).toBe(true);
});

test("a NUL in a path is a TypeError, not the name before it", () => {
  const text = `
    const { Tracker, FileDestination } = require(${JSON.stringify(CJS)});
    const attempt = (make) => { try { make(); } catch (error) { return error.constructor.name; } };
    console.log(
      attempt(() => new FileDestination("a\\0b.bin")),
      attempt(() => new Tracker("a\\0b.bin")),
      attempt(() => new Tracker({ destination: { path: "a\\0b.bin", overwrite: true, buffered: false } })),
    );`;
  const { stdout, stderr } = node(["-e", text], { cwd: folder.path });
  expect({ stdout, stderr }).toEqual({ stdout: "TypeError TypeError TypeError\n", stderr: "" });
  expect(existsSync(folder.join("a"))).toBe(false);
});

describe.each(nodeVersions)("on $name", ({ path: binary }) => {
  test("a worker that loaded the tracker ends, and the process goes on", () => {
    const text = `
      const { Worker, isMainThread } = require("node:worker_threads");
      if (isMainThread) {
        const again = (times) => {
          if (times === 0) {
            // What is allocated now, and at exit, must not run into code that went with the worker.
            for (let i = 0; i < 1000; i++) Buffer.allocUnsafeSlow(1000 + i);
            return void new Worker(__filename, { argv: ["leaves"] }).on("exit", () => console.log("done"));
          }
          new Worker(__filename, { argv: ["stops"] }).on("exit", () => again(times - 1));
        };
        again(3);
      } else {
        const { Tracker } = require(${JSON.stringify(CJS)});
        const tracker = new Tracker("worker." + Date.now() + "." + Math.random() + ".bin");
        Buffer.allocUnsafeSlow(14051);
        if (process.argv[2] === "stops") tracker.stop();
      }`;
    const ended = node([folder.write("workers.cjs", text)], { cwd: folder.path, node: binary });
    expect(ended).toEqual({ status: 0, signal: null, stdout: "done\n", stderr: "" });
    const captures = readdirSync(folder.path).filter((name) => name.endsWith(".bin"));
    expect(captures.map((name) => countOf(folder.join(name), 14_051))).toEqual([1, 1, 1, 1]);
  });
});
