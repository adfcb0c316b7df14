import { spawnSync } from "node:child_process";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { cliPath, type Folder, heapray, heaprayUntilReady, temporaryFolder } from "../support/heapray.js";

let folder: Folder;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.remove());

const LISTENS = `
  for (const signal of ["SIGTERM", "SIGHUP", "SIGINT", "SIGUSR2"])
    process.on(signal, () => { console.log("got", signal); setTimeout(() => process.exit(9), 200); });
  setInterval(() => {}, 1000);
  console.log("ready");
`;

describe("a program that ends of a signal", () => {
  test.each(["SIGTERM", "SIGKILL", "SIGHUP", "SIGINT"] as const)("%s: so does heapray", (signal) => {
    const script = folder.write("dies.cjs", `process.kill(process.pid, "${signal}"); setInterval(() => {}, 1000);`);
    expect(heapray(["run", "-q", script], { cwd: folder.path })).toEqual({
      status: null,
      signal,
      stdout: "",
      stderr: "",
    });
  });
});

describe("a signal sent to heapray", () => {
  test.each(["SIGTERM", "SIGHUP", "SIGUSR2", "SIGINT"] as const)("%s reaches the program, once", async (signal) => {
    const script = folder.write("listens.cjs", LISTENS);
    const ended = await heaprayUntilReady(["run", "-q", script], (pid) => process.kill(pid, signal), {
      cwd: folder.path,
    });
    expect(ended).toEqual({ status: 9, signal: null, stdout: `ready\ngot ${signal}\n`, stderr: "" });
  });

  test("a program without a handler dies of it, and so does heapray", async () => {
    const script = folder.write("waits.cjs", "setInterval(() => {}, 1000); console.log('ready');");
    const kill = (pid: number) => process.kill(pid, "SIGTERM");
    const ended = await heaprayUntilReady(["run", "-q", script], kill, { cwd: folder.path });
    expect(ended).toEqual({ status: null, signal: "SIGTERM", stdout: "ready\n", stderr: "" });
  });
});

/** Runs argv on a terminal of its own, types Ctrl-C at "ready", prints what came out. */
const ON_A_TERMINAL = `
import os, pty, sys
argv = sys.argv[1:]
pid, terminal = pty.fork()
if pid == 0:
    os.execv(argv[0], argv)
out, typed = b"", False
while True:
    try:
        data = os.read(terminal, 4096)
    except OSError:
        break
    if not data:
        break
    out += data
    if b"ready" in out and not typed:
        typed = True
        os.write(terminal, b"\\x03")
sys.stdout.write(out.decode())
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`;

test("Ctrl-C at a terminal reaches the program once", () => {
  const script = folder.write("listens.cjs", LISTENS);
  const argv = [process.execPath, cliPath, "run", "-q", script];
  const { status, stdout, stderr } = spawnSync("python3", ["-c", ON_A_TERMINAL, ...argv], {
    cwd: folder.path,
    encoding: "utf8",
    timeout: 30_000,
  });
  expect(stderr).toBe("");
  expect(stdout.match(/got SIGINT/g)).toHaveLength(1);
  expect(status).toBe(9);
});
