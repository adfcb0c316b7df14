import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FileReader } from "../../src/analysis/file-reader.js";
import { compressCaptureSync } from "../../src/tracker/compress-capture.js";
import { CaptureWriter, HEADER } from "../support/capture-writer.js";
import { type Folder, heapray, heaprayUntilReady, node, root, temporaryFolder } from "../support/heapray.js";
import { nodeVersions } from "../support/node-versions.js";
import { noise } from "../support/noise.js";
import { numberedForm } from "../support/numbered-form.js";
import { program, trailerOf } from "./truth.js";

const CJS = path.join(root, "dist/index.cjs");
const FINE = { status: 0, signal: null, stdout: "", stderr: "" };

let folder: Folder;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.remove());

const PLAIN = "heapray\0";
const isCompressed = (file: string) => readFileSync(file).readUInt16BE(0) === 0x1f8b;
const isPlain = (file: string) => readFileSync(file).subarray(0, 8).toString("latin1") === PLAIN;

describe.each(nodeVersions)("on $name", ({ path: binary }) => {
  const on = () => ({ cwd: folder.path, node: binary });

  test("heapray run compresses the capture, unless told not to", () => {
    const script = program("kept.cjs");
    expect(heapray(["run", "-q", "-o", "a.bin", script], on())).toMatchObject(FINE);
    expect(heapray(["run", "-q", "--no-compress", "-o", "b.bin", script], on())).toMatchObject(FINE);
    const [a, b] = [folder.join("a.bin"), folder.join("b.bin")];
    expect([isCompressed(a), isPlain(b)]).toEqual([true, true]);
    expect(statSync(a).size).toBeLessThan(0.7 * statSync(b).size);
    expect(statSync(a).mode & 0o777).toBe(0o600);
    expect([trailerOf(a), trailerOf(b)]).toEqual(["exit", "exit"]);
    expect(gunzipSync(readFileSync(a)).subarray(0, 8).toString("latin1")).toBe(PLAIN);
    expect(readdirSync(folder.path).sort()).toEqual(["a.bin", "b.bin"]);
  });

  test("an aggregated capture too", () => {
    expect(
      heapray(["run", "-q", "--aggregate", "-o", "a.bin", "-e", "globalThis.b = Buffer.alloc(5e6)"], on()),
    ).toEqual(FINE);
    expect(isCompressed(folder.join("a.bin"))).toBe(true);
    using reader = new FileReader(folder.join("a.bin"));
    expect(reader.metadata.peakMemory).toBeGreaterThan(5e6);
  });

  test("a killed program's capture is compressed by heapray run, and still of a killed program", async () => {
    const script = folder.write(
      "wait.cjs",
      "const a = Buffer.alloc(3e6); console.log('ready'); setInterval(() => a, 1e6)",
    );
    const ended = await heaprayUntilReady(
      ["run", "-q", "-o", folder.join("a.bin"), script],
      (pid) => {
        const child = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ")[0];
        process.kill(Number(child), "SIGKILL");
      },
      on(),
    );
    expect(ended).toMatchObject({ signal: "SIGKILL", stderr: "" });
    expect(isCompressed(folder.join("a.bin"))).toBe(true);
    using reader = new FileReader(folder.join("a.bin"));
    expect(reader.metadata.complete).toBe(false);
    expect(reader.metadata.peakMemory).toBeGreaterThan(3e6);
  });

  test("a Tracker compresses when it stops and when the program exits, unless told not to", () => {
    const script = folder.write(
      "script.cjs",
      `const { Tracker, FileDestination } = require(${JSON.stringify(CJS)});
       const fs = require("node:fs");
       const start = (name) => fs.readFileSync(name).readUInt16BE(0).toString(16);
       const first = new Tracker("stopped.bin");
       for (let i = 0; i < 100; i++) Buffer.allocUnsafeSlow(19001);
       const during = start("stopped.bin");
       const complete = first.stop();
       const plain = new Tracker({ destination: new FileDestination("plain.bin", { compressOnExit: false }) });
       plain.stop();
       console.log(during, complete, start("stopped.bin"), start("plain.bin"), fs.readdirSync(".").join());
       new Tracker("exit.bin");
       process.on("exit", () => { for (let i = 0; i < 100; i++) Buffer.allocUnsafeSlow(19001); });`,
    );
    const ended = node([script], on());
    const files = "plain.bin,script.cjs,stopped.bin";
    expect(ended).toEqual({ ...FINE, stdout: `6865 true 1f8b 6865 ${files}\n` });
    expect(["stopped", "exit"].map((name) => isCompressed(folder.join(`${name}.bin`)))).toEqual([true, true]);
    expect(["stopped", "exit"].map((name) => trailerOf(folder.join(`${name}.bin`)))).toEqual(["stop", "exit"]);
    for (const name of ["stopped", "exit"]) {
      using reader = new FileReader(folder.join(`${name}.bin`));
      const records = [...reader.getAllocationRecords()];
      expect(records.filter(({ size }) => size === 19_001)).toHaveLength(100);
      // What compressing takes is none of the program's: its buffers would show, being of a megabyte or more.
      expect(records.filter((record) => record.size >= 1024 * 1024 && record.stackTrace().some(isOurs))).toEqual([]);
    }
  });
});

const isOurs = ({ file }: { file: string }) => file.includes(path.join(root, "dist"));

/** A capture that gets no smaller than this. */
function incompressible(megabytes: number): Uint8Array {
  const writer = new CaptureWriter();
  const filler = noise(1024 * 1024);
  for (let i = 0; i < megabytes; i++)
    writer.extended(
      200,
      filler.map((byte) => byte ^ i),
    );
  return writer
    .malloc(0, 10, 0x1000)
    .trailer(HEADER.startTimeMs + 1)
    .finish();
}

test("where the disk is full, the capture stays as it was", () => {
  const bytes = incompressible(6);
  const capture = folder.write("a.bin", bytes);
  const module = path.join(root, "dist/tracker/compress-capture.js");
  const code = `import(${JSON.stringify(module)}).then((m) => console.log(m.compressCaptureSync("a.bin")))`;
  const limited = (halfKilobytes: number) =>
    spawnSync("sh", ["-c", `ulimit -f ${halfKilobytes}; exec "$@"`, "sh", process.execPath, "-e", code], {
      cwd: folder.path,
      encoding: "utf8",
      timeout: 30_000,
    });
  const { stdout, stderr } = limited(2 * 5 * 1024);
  expect({ stdout, stderr }).toEqual({ stdout: "false\n", stderr: "" });
  expect(readFileSync(capture).equals(bytes)).toBe(true);
  expect(readdirSync(folder.path)).toEqual(["a.bin"]);
  expect(limited(2 * 20 * 1024).stdout).toBe("true\n");
  expect(isCompressed(capture)).toBe(true);
});

test("an interrupt leaves the capture as it was", () => {
  const bytes = incompressible(12);
  const capture = folder.write("a.bin", bytes);
  const module = path.join(root, "dist/cli/compression.js");
  const code = `
    import { compressCaptures } from ${JSON.stringify(module)};
    const done = compressCaptures(["a.bin"], true);
    process.kill(process.pid, "SIGINT");
    await done;
    console.log(process.listenerCount("SIGINT"));`;
  const script = folder.write("script.mjs", code);
  expect(node([script], { cwd: folder.path })).toEqual({ ...FINE, stdout: "0\n" });
  expect(readFileSync(capture).equals(bytes)).toBe(true);
  expect(readdirSync(folder.path).sort()).toEqual(["a.bin", "script.mjs"]);
});

test("what an interrupted attempt left is replaced by the next", () => {
  const bytes = incompressible(1);
  const capture = folder.write("a.bin", bytes);
  folder.write("a.bin.compressing", "half of it");
  expect(compressCaptureSync(capture)).toBe(true);
  expect(gunzipSync(readFileSync(capture)).equals(numberedForm(bytes))).toBe(true);
  expect(readdirSync(folder.path)).toEqual(["a.bin"]);
});

test("what cannot be compressed is left alone: a compressed capture, another file, no file", () => {
  const capture = folder.write("a.bin", incompressible(1));
  compressCaptureSync(capture);
  const { ino } = statSync(capture);
  expect(compressCaptureSync(capture)).toBe(false);
  expect(statSync(capture).ino).toBe(ino);
  expect(compressCaptureSync(folder.write("note.txt", "precious"))).toBe(false);
  expect(readFileSync(folder.join("note.txt"), "utf8")).toBe("precious");
  expect(compressCaptureSync(folder.join("missing.bin"))).toBe(false);
  mkdirSync(folder.join("b.bin.compressing"));
  folder.write("b.bin", new CaptureWriter().finish());
  expect(compressCaptureSync(folder.join("b.bin"))).toBe(false);
  expect(isPlain(folder.join("b.bin"))).toBe(true);
  expect(readdirSync(folder.path).sort()).toEqual(["a.bin", "b.bin", "b.bin.compressing", "note.txt"]);
});

test("a reader that was opened before goes on reading", () => {
  const capture = folder.write("a.bin", incompressible(3));
  using reader = new FileReader(capture);
  compressCaptureSync(capture);
  expect(reader.metadata).toMatchObject({ complete: true, totalAllocations: 1 });
  expect([...reader.getAllocationRecords()]).toHaveLength(1);
  using next = new FileReader(capture);
  expect(next.metadata).toMatchObject({ complete: true, totalAllocations: 1 });
});
