import { spawnSync } from "node:child_process";
import { afterEach, beforeEach, expect, test } from "vitest";
import { CaptureWriter } from "../support/capture-writer.js";
import { cliPath, type Folder, heapray, temporaryFolder } from "../support/heapray.js";

let folder: Folder;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.remove());

/** Runs argv with standard error on a terminal, standard output in a file; prints what the terminal got. */
const WITH_A_TERMINAL = `
import os, pty, sys
pid, terminal = pty.fork()
if pid == 0:
    os.dup2(os.open("out.txt", os.O_WRONLY | os.O_CREAT), 1)
    os.execv(sys.argv[1], sys.argv[1:])
try:
    while data := os.read(terminal, 4096):
        sys.stdout.write(data.decode())
except OSError:
    pass
os.waitpid(pid, 0)
`;

const onTerminal = (...args: string[]) =>
  spawnSync("python3", ["-c", WITH_A_TERMINAL, process.execPath, cliPath, ...args], {
    cwd: folder.path,
    encoding: "utf8",
    timeout: 30_000,
  }).stdout;

/** A capture of `megabytes`, most of them in records that this version skips. */
function captureOf(megabytes: number): Uint8Array {
  const writer = new CaptureWriter();
  const filler = new Uint8Array(1024 * 1024);
  for (let i = 0; i < megabytes; i++) writer.extended(200, filler);
  return writer.malloc(0, 10, 0x1000).finish();
}

test("long work shows a bar on a terminal", () => {
  folder.write("long.bin", captureOf(24));
  expect(onTerminal("summary", "long.bin")).toMatch(/Reading \[.*\] \d+%/);
});

test("short work shows none", () => {
  folder.write("short.bin", captureOf(1));
  expect(onTerminal("summary", "short.bin")).toBe("");
});

test("nor does standard error that is no terminal", () => {
  folder.write("long.bin", captureOf(24));
  expect(heapray(["summary", "long.bin"], { cwd: folder.path }).stderr).toBe("");
});
