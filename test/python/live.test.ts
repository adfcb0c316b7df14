import { readFileSync } from "node:fs";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { cliPath, type Folder, temporaryFolder } from "../support/heapray.js";
import { PseudoTerminal } from "../support/pseudo-terminal.js";
import { pythons, withHeapray } from "../support/pythons.js";
import { freePort, Running, until } from "../support/running.js";

let folder: Folder;
const terminals: PseudoTerminal[] = [];
const started: Running[] = [];
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(async () => {
  for (const terminal of terminals.splice(0)) terminal.close();
  for (const one of started.splice(0)) {
    one.kill("SIGKILL");
    await one.ended;
  }
  folder.remove();
});

const GROWS = `
import sys, time
kept = []
def grow():
    kept.append(bytearray(1_000_000))
print(f"begins {sys.argv}\\n", end="", flush=True)
while True:
    if len(kept) < 40: grow()
    time.sleep(0.01)
`;

describe.each(pythons)("on $name", (version) => {
  let python = "";
  beforeAll(() => {
    python = withHeapray(version);
  }, 600_000);

  function terminal(...args: string[]): PseudoTerminal {
    const made = new PseudoTerminal([process.execPath, cliPath, ...args], { columns: 110, rows: 30, cwd: folder.path });
    terminals.push(made);
    return made;
  }

  test("run --live shows the program's memory, and keeps its output for the end", async () => {
    folder.write("grows.py", GROWS);
    const shown = terminal("run", "--live", "--python", python, "grows.py", "word");
    await shown.shows("grows.py word");
    await shown.shows(/grow {2}grows\.py +4\d\.\d+MB/);
    expect(shown.text).not.toContain("begins");
    shown.type("q");
    expect(await shown.ended()).toEqual({ status: 0, restored: true });
    expect(shown.output).toContain("begins ['grows.py', 'word']");
  });

  test("run --live-remote waits for heapray live, and goes on when that is quit", async () => {
    folder.write("grows.py", GROWS);
    const port = String(await freePort());
    const args = [cliPath, "run", "--live-remote", "--live-port", port, "--python", python, "grows.py"];
    const program = new Running(process.execPath, args, folder.path);
    started.push(program);
    const shown = terminal("live", port);
    await shown.shows(/grow {2}grows\.py +4\d\.\d+MB/);
    expect(program.stdout).toContain("begins");
    expect(program.stderr).toContain(`live ${port}`);
    shown.type("q");
    expect(await shown.ended()).toEqual({ status: 0, restored: true });
    program.kill("SIGTERM");
    expect(await program.ended).toMatchObject({ status: null, signal: "SIGTERM" });
  });

  test("SIGINT ends the waiting for a client, before the program has begun", async () => {
    folder.write("grows.py", GROWS);
    const port = await freePort();
    const args = [cliPath, "run", "-q", "--live-remote", "--live-port", String(port), "--python", python, "grows.py"];
    const program = new Running(process.execPath, args, folder.path);
    started.push(program);
    // Connecting would be what it waits for.
    const listening = new RegExp(`:${port.toString(16).toUpperCase().padStart(4, "0")} 00000000:0000 0A`);
    await until(() => listening.test(readFileSync("/proc/net/tcp", "latin1")));
    program.kill("SIGINT");
    expect(await program.ended).toEqual({ status: null, signal: "SIGINT", stdout: "", stderr: "" });
  });
});
