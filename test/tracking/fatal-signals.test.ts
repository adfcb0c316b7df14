import { spawnSync } from "node:child_process";
import { constants } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FileReader } from "../../src/analysis/file-reader.js";
import { AllocatorType } from "../../src/capture/wire.js";
import { heapray, node, root, temporaryFolder } from "../support/heapray.js";
import { nodeVersions } from "../support/node-versions.js";
import { placesOf, program, trailerOf } from "./truth.js";

// A signal that ends the process leaves a complete capture, and nobody sees that it did.

const folder = temporaryFolder();
const addon = folder.join("signals.node");
beforeAll(() => {
  // Node-API is the same in all versions.
  const include = path.resolve(process.execPath, "../../include/node");
  const flags = ["-shared", "-fPIC", "-O2", "-Wall", "-Werror", "-D_GNU_SOURCE", `-I${include}`];
  const made = spawnSync("gcc", [...flags, "-o", addon, program("signals.c")], { encoding: "utf8" });
  expect(made.stderr).toBe("");
});
afterAll(() => folder.remove());

/** How a program dies, and the signal it dies of. */
const DEATHS = {
  write: "SIGSEGV",
  bus: "SIGBUS",
  ud2: "SIGILL",
  int3: "SIGTRAP",
  divide: "SIGFPE",
  abort: "SIGABRT",
  realloc: "SIGABRT",
  free: "SIGABRT",
  "heap limit": "SIGABRT",
  SIGTERM: "SIGTERM",
  SIGINT: "SIGINT",
  SIGHUP: "SIGHUP",
  SIGQUIT: "SIGQUIT",
  SIGUSR2: "SIGUSR2",
  SIGALRM: "SIGALRM",
  SIGSEGV: "SIGSEGV",
} as const;

/** Bytes that the program's own line holds at the end of a capture. */
function keptIn(capture: string): number {
  const line = Number(
    placesOf([program("dies.cjs")])
      .get("kept")
      ?.split(":")[1],
  );
  let kept = 0;
  using reader = new FileReader(capture);
  for (const record of reader.getLeakedAllocationRecords()) {
    // Which line V8's heap grows at is a matter of chance.
    if (record.allocator === AllocatorType.HEAP_PAGES) continue;
    const frame = record.stackTrace().find(({ file }) => file.endsWith("dies.cjs"));
    if (frame?.line === line) kept += record.size;
  }
  return kept;
}

describe.each(nodeVersions)("on $name", ({ path: binary }) => {
  test.each(["large malloc", "large realloc"])(
    "the capture of a program that is killed right after a %s has it",
    (way) => {
      const capture = folder.join("capture.bin");
      const args = ["run", "-q", "-f", "-o", capture, "--memory-interval-ms", "100000"];
      const ended = heapray([...args, program("dies.cjs"), addon, way], { node: binary });
      expect(ended).toMatchObject({ status: null, signal: "SIGKILL" });
      using reader = new FileReader(capture);
      const sizes = [...reader.getLeakedAllocationRecords()].map(({ size }) => size);
      expect(sizes).toContain(2 << 20);
    },
  );

  describe.each([
    // The others: processes.test.ts.
    ["every allocation", [], ["free", "heap limit", "SIGHUP"]],
    ["an aggregated capture", ["--aggregate"], Object.keys(DEATHS)],
  ])("%s", (_, flags, ways) => {
    test.each(ways)("of a program that dies by %s", (way) => {
      const signal = DEATHS[way as keyof typeof DEATHS];
      const capture = folder.join("capture.bin");
      const args = ["run", "-q", "-f", "-o", capture, "--node-arg=--max-old-space-size=32", ...flags];
      const ended = heapray([...args, program("dies.cjs"), addon, way], { node: binary, cwd: folder.path });
      expect(ended).toMatchObject({ status: null, signal, stdout: "" });
      expect(trailerOf(capture)).toBe(`signal ${constants.signals[signal]}`);
      // And what Node.js adds for each of the buffers.
      expect(keptIn(capture)).toBeGreaterThanOrEqual(200 * 16_007);
      expect(keptIn(capture)).toBeLessThan(200 * 16_007 * 1.05);
      if (way !== "heap limit") return;
      const { stdout } = heapray(["summary", capture]);
      expect(stdout).toMatch(/dies\.cjs:11 {2}leak\n/u);
    });

    test("of a program that leaves with _exit", () => {
      const capture = folder.join("capture.bin");
      const args = ["run", "-q", "-f", "-o", capture, ...flags, program("dies.cjs"), addon, "_exit"];
      expect(heapray(args, { node: binary })).toEqual({ status: 7, signal: null, stdout: "", stderr: "" });
      expect(trailerOf(capture)).toBe("exit");
      expect(keptIn(capture)).toBeGreaterThanOrEqual(200 * 16_007);
    });
  });

  /** Runs code that gets the addon, with and without a tracker. */
  function bothWays(code: string, ...flags: string[]) {
    const text = `const addon = require(${JSON.stringify(addon)});\n${code}`;
    const script = folder.write("script.cjs", text);
    const capture = folder.join("capture.bin");
    const tracked = heapray(["run", "-q", "-f", "-o", capture, ...flags, script], { node: binary, cwd: folder.path });
    return { plain: node([script], { node: binary, cwd: folder.path }), tracked, capture };
  }

  test("the program sees its own dispositions", () => {
    const { plain, tracked } = bothWays(`
      const all = () => Array.from({ length: 31 }, (_, i) => addon.disposition(i + 1)).join("\\n");
      console.log(all());
      for (const signal of [1, 12, 14, 15]) console.log(addon.setHandlers(signal));
      process.on("SIGHUP", () => {}); process.on("SIGTERM", () => {});
      console.log(all());
      process.removeAllListeners("SIGHUP"); process.removeAllListeners("SIGTERM");
      addon.ignore(12);
      console.log(all(), addon.forkChild(1), addon.forkChild(6), addon.forkChild(15), addon.forkChild(12));
      process.kill(process.pid, "SIGUSR2");
      console.log(require("node:child_process").execSync("grep -E 'Sig(Blk|Ign|Cgt)' /proc/self/status", { encoding: "utf8" }));
    `);
    expect(tracked).toEqual(plain);
    expect(plain.stdout).toContain("default 0 0\n");
    expect(plain.status).toBe(0);
  });

  test("handlers work, and the default action once they are gone", () => {
    const { plain, tracked, capture } = bothWays(
      `
      let count = 0;
      process.on("SIGHUP", () => {
        console.log("SIGHUP", ++count);
        if (count === 3) process.removeAllListeners("SIGHUP");
        setTimeout(() => process.kill(process.pid, "SIGHUP"), 5);
      });
      process.kill(process.pid, "SIGHUP");
      setInterval(() => {}, 1000);
      `,
      "--aggregate",
    );
    expect(tracked).toEqual(plain);
    expect(tracked).toEqual({ status: null, signal: "SIGHUP", stdout: "SIGHUP 1\nSIGHUP 2\nSIGHUP 3\n", stderr: "" });
    expect(trailerOf(capture)).toBe("signal 1");
  });

  test("WebAssembly's traps are caught", () => {
    const bytes = [0, 97, 115, 109, 1, 0, 0, 0, 1, 6, 1, 96, 1, 127, 1, 127, 3, 2, 1, 0, 5, 3, 1, 0, 1, 7, 5, 1, 1];
    bytes.push(102, 0, 0, 10, 9, 1, 7, 0, 32, 0, 40, 2, 0, 11);
    const { plain, tracked } = bothWays(`
      const { f } = new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(${JSON.stringify(bytes)}))).exports;
      for (let i = 0; i < 1000; i++) try { f(i + 1e6); } catch (error) { if (i % 500 === 0) console.log(error.message); }
    `);
    expect(tracked).toEqual(plain);
    expect(plain.stdout).toContain("memory access out of bounds");
  });

  test("stopping puts everything back", () => {
    const script = folder.write(
      "stops.cjs",
      `const { Tracker } = require(${JSON.stringify(path.join(root, "dist/index.cjs"))});
      const { readFileSync } = require("node:fs");
      const signals = () => readFileSync("/proc/self/status", "utf8").match(/^Sig(?:Ign|Cgt).*$/gmu).join("\\n");
      const before = signals();
      const tracker = new Tracker(process.argv[2] + process.pid);
      const during = signals();
      tracker.stop();
      console.log(before === signals(), before === during);`,
    );
    expect(node([script, folder.join("stops.bin")], { node: binary }).stdout).toBe("true false\n");
  });
});

/** Prints a command's wait status, where a core dump may be as large as it likes to be. */
const WAIT_STATUS = `
import os, resource, sys
resource.setrlimit(resource.RLIMIT_CORE, (4096, resource.getrlimit(resource.RLIMIT_CORE)[1]))
pid = os.fork()
if pid == 0:
    os.dup2(os.open("/dev/null", os.O_WRONLY), 2)
    os.execv(sys.argv[1], sys.argv[1:])
print(os.waitpid(pid, 0)[1])
`;

test.each(["write", "abort", "SIGQUIT", "SIGTERM"])("the parent sees the same of %s, core dump included", (way) => {
  const script = folder.write(
    "tracked.cjs",
    `const { FileDestination, Tracker } = require(${JSON.stringify(path.join(root, "dist/index.cjs"))});
    if (process.env.TRACK) new Tracker({ destination: new FileDestination("core-dump.bin", { overwrite: true }) });
    require(${JSON.stringify(program("dies.cjs"))});`,
  );
  const waitStatus = (env: NodeJS.ProcessEnv) => {
    const command = [process.execPath, script, addon, way];
    const options = { cwd: folder.path, env: { ...process.env, ...env }, encoding: "utf8", timeout: 30_000 } as const;
    return Number(spawnSync("python3", ["-c", WAIT_STATUS, ...command], options).stdout);
  };
  const tracked = waitStatus({ TRACK: "1" });
  expect(tracked).toBe(waitStatus({}));
  expect(trailerOf(folder.join("core-dump.bin"))).toBe(`signal ${tracked & 127}`);
  expect(tracked & 127).toBe(constants.signals[DEATHS[way as keyof typeof DEATHS]]);
});
