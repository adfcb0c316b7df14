import { copyFileSync, mkdirSync, readdirSync, readFileSync, utimesSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FileReader } from "../../src/analysis/file-reader.js";
import { addTo, environmentFor, removeFrom } from "../../src/tracker/child-environment.js";
import { type Folder, heapray, node, root, temporaryFolder } from "../support/heapray.js";
import { nodeVersions } from "../support/node-versions.js";
import { program, trailerOf } from "./truth.js";

// Children that are followed: each process of the family has a capture of its own.

const CJS = path.join(root, "dist/index.cjs");
const ESM = path.join(root, "dist/index.js");
const PRELOAD = path.join(root, "dist/preload.cjs");

let folder: Folder;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.remove());

/** The captures of children next to a.bin, by process id. */
function children(capture = "a.bin"): Map<number, string> {
  const captures = new Map<number, string>();
  for (const name of readdirSync(folder.path)) {
    const [, pid] = /\.(\d+)$/u.exec(name.startsWith(`${capture}.`) ? name.slice(capture.length) : "") ?? [];
    if (pid !== undefined) captures.set(Number(pid), folder.join(name));
  }
  return captures;
}

/** How many allocations of this size a capture holds. */
function count(capture: string, size: number): number {
  using reader = new FileReader(capture);
  let found = 0;
  for (const record of reader.getAllocationRecords()) if (record.size === size) found++;
  return found;
}

/** What a child finds in HEAPRAY_RUN. */
const CHILD_SETTINGS = JSON.stringify({ followed: { destination: { path: "a.bin" }, memoryIntervalMs: 10 } });

const follow = (...args: string[]) => ["run", "-q", "--follow-fork", "-o", "a.bin", ...args];
const isCompressed = (file: string) => readFileSync(file).readUInt16BE(0) === 0x1f8b;

describe.each(nodeVersions)("on $name", ({ path: binary, version }) => {
  const on = () => ({ cwd: folder.path, node: binary });

  test.each(["inherited", "own"])("every way to start a child, with an %s environment", (env) => {
    const { stdout, ...ended } = heapray(follow(program("family.cjs"), env), on());
    expect(ended).toEqual({ status: 0, signal: null, stderr: "" });
    const captures = children();
    expect(captures.size).toBe(Number(stdout));
    expect(count(folder.join("a.bin"), 16_411)).toBe(0);
    for (const [pid, capture] of captures) {
      using reader = new FileReader(capture);
      expect(reader.metadata).toMatchObject({ pid, complete: true, runtime: { version: `v${version}` } });
      expect(count(capture, 16_411)).toBe(100);
      expect(isCompressed(capture)).toBe(true);
    }
    expect(readdirSync(folder.path)).toHaveLength(1 + captures.size);
  });

  test("a Tracker in the program follows children while it is active", () => {
    const script = folder.write(
      "script.cjs",
      `const { execFileSync } = require("node:child_process"); // before anything is wrapped
       const { Tracker, FileDestination } = require(${JSON.stringify(CJS)});
       const cp = require("node:child_process");
       const child = (options) => cp.execFileSync(process.execPath, ["-p", "Buffer.allocUnsafeSlow(17203).length + Error.stackTraceLimit"], options);
       const before = { ...process.env };
       child();
       const tracker = new Tracker({ destination: new FileDestination("a.bin"), followFork: true, memoryIntervalMs: 33 });
       const during = process.env.NODE_OPTIONS;
       const texts = [child(), child({ env: {} }), execFileSync(process.execPath, ["-e", "Buffer.allocUnsafeSlow(17203)"])];
       cp.spawnSync(process.execPath, ["-e", "Buffer.allocUnsafeSlow(17203); process.kill(process.pid, 'SIGKILL')"]);
       tracker.stop();
       child();
       child({ env: {} });
       console.log(texts.map(String).join(""), during.startsWith("--stack-trace-limit=7 --require "));
       console.log(JSON.stringify(before) === JSON.stringify(process.env));
       const next = new Tracker("b.bin");
       child();
       next.stop();`,
    );
    const env = { ...process.env, NODE_OPTIONS: "--stack-trace-limit=7" };
    const ended = node([script], { ...on(), env });
    expect(ended).toEqual({ status: 0, signal: null, stdout: "17210\n17213\n true\ntrue\n", stderr: "" });
    const captures = [...children().values()];
    expect(captures.map((capture) => count(capture, 17_203))).toEqual([1, 1, 1, 1]);
    expect(captures.map(isCompressed)).toEqual([true, true, true, true]);
    expect(captures.map((capture) => trailerOf(capture) ?? "none").sort()).toEqual(["exit", "exit", "exit", "none"]);
    using reader = new FileReader(captures[0] as string);
    expect(reader.metadata.options).toMatchObject({ memoryIntervalMs: 33, followFork: true });
    expect(children("b.bin").size).toBe(0);
  });

  test("an ES module's named imports are followed too", () => {
    const script = folder.write(
      "script.mjs",
      `import { execFileSync, spawnSync } from "node:child_process";
       import { Tracker } from ${JSON.stringify(ESM)};
       const tracker = new Tracker("a.bin", { followFork: true });
       for (const run of [execFileSync, spawnSync]) run(process.execPath, ["-e", "Buffer.allocUnsafeSlow(17203)"], { env: {} });
       tracker.stop();`,
    );
    expect(node([script], on())).toEqual({ status: 0, signal: null, stdout: "", stderr: "" });
    expect([...children().values()].map((capture) => count(capture, 17_203))).toEqual([1, 1]);
  });

  test("children of few words: that exit at once, are killed, fail, or only tell their version", () => {
    const script = folder.write(
      "script.cjs",
      `const { spawnSync } = require("node:child_process");
       const run = (...args) => {
         const { status, signal, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
         return [status, signal, stdout, stderr.split("\\n").find((line) => /Error|heapray/.test(line)) ?? ""].join("|");
       };
       console.log(JSON.stringify([
         run("-e", "process.exit(3)"),
         run("-e", "process.reallyExit(4)"),
         run("-e", "process.kill(process.pid, 'SIGTERM')"),
         run("-e", "throw new Error('no')"),
         run("--version"),
         run("-p", "1"),
         run("--check", __filename),
         run("missing.cjs").split("|").slice(0, 3).join("|"),
       ]));`,
    );
    const plain = node([script], on());
    expect(heapray(follow(script), on())).toEqual(plain);
    expect(JSON.parse(plain.stdout).slice(0, 3)).toEqual(["3|||", "4|||", "|SIGTERM||"]);
    const captures = [...children().values()];
    expect(captures.length).toBeGreaterThanOrEqual(6);
    for (const capture of captures) {
      using reader = new FileReader(capture);
      expect(reader.metadata.totalAllocations).toBeGreaterThanOrEqual(0);
    }
  });

  test("workers of a cluster, under load", () => {
    const script = folder.write(
      "cluster.cjs",
      `const cluster = require("node:cluster");
       const http = require("node:http");
       const WORKERS = 3, REQUESTS = 150;
       if (cluster.isPrimary) {
         for (let i = 0; i < WORKERS; i++) cluster.fork();
         let listening = 0, sum = 0;
         cluster.on("listening", async (_, { port }) => {
           if (++listening < WORKERS) return;
           const get = async () => (await (await fetch("http://127.0.0.1:" + port, { headers: { connection: "close" } })).text()).length;
           for (let i = 0; i < REQUESTS; i += 10) for (const n of await Promise.all(Array.from({ length: 10 }, get))) sum += n;
           console.log(sum);
           cluster.disconnect();
         });
       } else {
         http.createServer((_, response) => response.end(Buffer.allocUnsafeSlow(16411).fill(97))).listen(0, "127.0.0.1");
       }`,
    );
    const ended = heapray(follow(script), on());
    expect(ended).toEqual({ status: 0, signal: null, stdout: `${150 * 16_411}\n`, stderr: "" });
    const captures = [...children().values()];
    expect(captures).toHaveLength(3);
    const served = captures.map((capture) => count(capture, 16_411));
    expect(served.reduce((sum, n) => sum + n, 0)).toBeGreaterThanOrEqual(150);
    expect(captures.map(trailerOf)).toEqual(["exit", "exit", "exit"]);
  });

  test("node --test and its files", () => {
    for (const name of ["a", "b"]) {
      folder.write(`${name}.test.cjs`, "require('node:test')('fine', () => { Buffer.allocUnsafeSlow(16411); });");
    }
    const script = folder.write(
      "script.cjs",
      `const args = ["--test", "--test-reporter=tap", "a.test.cjs", "b.test.cjs"];
       const { status, stdout, stderr } = require("node:child_process").spawnSync(process.execPath, args, { encoding: "utf8" });
       console.log(status, /^# pass 2$/m.test(stdout), JSON.stringify(stderr));`,
    );
    expect(heapray(follow(script), on())).toEqual({ status: 0, signal: null, stdout: '0 true ""\n', stderr: "" });
    const counts = [...children().values()].map((capture) => count(capture, 16_411)).sort();
    expect(counts).toEqual([0, 1, 1]);
  });

  test("a child under Node.js's permission model runs, untracked", () => {
    const flag = version.startsWith("20.") ? "--experimental-permission" : "--permission";
    const script = folder.write(
      "script.cjs",
      `const cp = require("node:child_process");
       const args = ["--no-warnings", ${JSON.stringify(flag)}, "-p", "process.permission.has('fs.read')"];
       const own = { env: { PATH: process.env.PATH } };
       process.stdout.write(cp.execFileSync(process.execPath, args));
       process.stdout.write(cp.execFileSync(process.execPath, args, own));
       process.stdout.write(cp.execSync('"' + process.execPath + '" ${flag} --no-warnings -p 7'));
       cp.spawn(process.execPath, args, { stdio: "inherit", ...own });`,
    );
    const ended = heapray(follow(script), on());
    expect(ended).toEqual({ status: 0, signal: null, stdout: "false\nfalse\n7\nfalse\n", stderr: "" });
    expect(children().size).toBe(0);
  });

  test.runIf(nodeVersions.length > 1)("children of other versions of Node.js", () => {
    const others = nodeVersions.filter((other) => other.path !== binary);
    const script = folder.write(
      "script.cjs",
      `for (const other of ${JSON.stringify(others.map((other) => other.path))})
         console.log(String(require("node:child_process").execFileSync(other, ["-p", "Buffer.allocUnsafeSlow(16411); process.version"])).trim());`,
    );
    const { stdout, stderr } = heapray(follow(script), on());
    const versions = others.map((other) => `v${other.version}`);
    expect({ stdout, stderr }).toEqual({ stdout: versions.map((text) => `${text}\n`).join(""), stderr: "" });
    const found = [...children().values()].map((capture) => {
      using reader = new FileReader(capture);
      expect(count(capture, 16_411)).toBe(1);
      return reader.metadata.runtime.version;
    });
    expect(found.sort()).toEqual(versions.sort());
  });

  test("heapray and its agent in a folder of an odd name, with no agent for this Node.js: one sentence", () => {
    const odd = path.join(folder.path, `it's an "odd\\ na me"`);
    mkdirSync(path.join(odd, "dist"), { recursive: true });
    copyFileSync(path.join(root, "package.json"), path.join(odd, "package.json"));
    for (const name of ["preload.cjs", "preload-process.cjs", "index.cjs"]) {
      copyFileSync(path.join(root, "dist", name), path.join(odd, "dist", name));
    }
    const env: NodeJS.ProcessEnv = { ...process.env };
    addTo(env, { preload: path.join(odd, "dist/preload.cjs"), settings: CHILD_SETTINGS });
    const ended = node(["-p", "1 + 1"], { ...on(), env });
    expect(ended).toMatchObject({ status: 0, stdout: "2\n" });
    expect(ended.stderr).toMatch(/^heapray: process \d+ runs untracked: heapray's agent is not built for [^\n]+\n$/);
    expect(children().size).toBe(0);
  });

  test("aggregated", () => {
    const code =
      "require('node:child_process').execFileSync(process.execPath, ['-e', 'globalThis.kept = Buffer.alloc(7e6)'])";
    expect(heapray(follow("--aggregate", "-e", code), on())).toEqual({
      status: 0,
      signal: null,
      stdout: "",
      stderr: "",
    });
    const [capture = ""] = children().values();
    using reader = new FileReader(capture);
    expect(reader.metadata.fileFormat).toBe("AGGREGATED_ALLOCATIONS");
    expect(reader.metadata.peakMemory).toBeGreaterThan(7e6);
  });
});

test("heapray run tells of the children's captures", () => {
  folder.write("package.json", JSON.stringify({ scripts: { twice: "node -e 1 && node -e 2" } }));
  const on = { cwd: folder.path };
  const code = "require('node:child_process').execSync('npm run --silent twice')";
  const { status, stdout, stderr } = heapray(["run", "--follow-fork", "--no-compress", "-o", "a.bin", "-e", code], on);
  expect({ status, stdout }).toEqual({ status: 0, stdout: "" });
  // npm itself, and the two that it starts.
  expect(stderr).toContain(
    "[heapray] wrote a.bin, and 3 captures of child processes next to it (a.bin.<pid>); to see where the memory went, type:",
  );
  for (const capture of [folder.join("a.bin"), ...children().values()]) {
    expect(isCompressed(capture)).toBe(false);
    expect(trailerOf(capture)).toBe("exit");
  }
});

test("a child that outlives the program goes on with its capture, which stays uncompressed", () => {
  const script = folder.write(
    "script.cjs",
    `const fs = require("node:fs");
     const begun = (file) => fs.existsSync(file) && fs.readFileSync(file, "latin1").startsWith("heapray");
     const options = { detached: true, stdio: "ignore" };
     const child = require("node:child_process").spawn(process.execPath, ["-e", "setTimeout(() => {}, 60_000)"], options);
     child.unref();
     console.log(child.pid);
     const timer = setInterval(() => { if (begun("a.bin." + child.pid)) clearInterval(timer); }, 10);`,
  );
  const { stdout, stderr } = heapray(follow(script), { cwd: folder.path });
  const pid = Number(stdout);
  try {
    expect(stderr).toBe("");
    const capture = folder.join(`a.bin.${pid}`);
    expect([isCompressed(folder.join("a.bin")), isCompressed(capture)]).toEqual([true, false]);
    using reader = new FileReader(capture);
    expect(reader.metadata).toMatchObject({ pid, complete: false });
  } finally {
    process.kill(pid);
  }
});

test("older captures of such names are neither counted nor touched", () => {
  const old = folder.write("a.bin.1", "precious");
  utimesSync(old, 1, 1);
  const { stderr } = heapray(["run", "--follow-fork", "-o", "a.bin", "-e", "1"], { cwd: folder.path });
  expect(stderr).toContain("[heapray] wrote a.bin; to see");
  expect(readFileSync(old, "utf8")).toBe("precious");
});

test("a Node.js too old to be tracked is left alone, with one sentence", () => {
  const text = readFileSync(PRELOAD, "utf8");
  const written: string[] = [];
  const process = {
    versions: { node: "8.17.0" },
    version: "v8.17.0",
    pid: 7,
    env: { HEAPRAY_RUN: CHILD_SETTINGS },
  };
  const required: string[] = [];
  const run = new Function("process", "require", text);
  run(process, (file: string) =>
    file === "fs" ? { writeSync: (_: number, line: string) => written.push(line) } : required.push(file),
  );
  expect(written).toEqual(["heapray: process 7 runs untracked: it is Node.js v8.17.0, not 20 or newer.\n"]);
  expect(required).toEqual([]);
  // Syntax that came later would not even be parsed.
  expect(text).not.toMatch(/\?\.|\?\?|\basync\b|catch \{|\.\.\.|\bimport\b/);
});

test("followFork is a boolean", () => {
  const script = folder.write(
    "script.cjs",
    `const { Tracker } = require(${JSON.stringify(CJS)});
     try { new Tracker("a.bin", { followFork: "yes" }); } catch (error) { console.log(error.name, error.message); }`,
  );
  expect(node([script], { cwd: folder.path }).stdout).toBe("TypeError followFork is a boolean.\n");
});

describe("the environment of a child", () => {
  const child = { preload: "/opt/heap ray/preload.cjs", settings: "{}" };
  const OURS = '--require "/opt/heap ray/preload.cjs"';

  test.each([
    [undefined, OURS],
    ["", OURS],
    ["--max-old-space-size=99", `--max-old-space-size=99 ${OURS}`],
    [`${OURS} --expose-gc`, `${OURS} --expose-gc`],
  ])("has the preload behind the user's options: %s", (given, wanted) => {
    const env: NodeJS.ProcessEnv = given === undefined ? {} : { NODE_OPTIONS: given };
    addTo(env, child);
    expect(env).toEqual({ NODE_OPTIONS: wanted, HEAPRAY_RUN: "{}" });
    addTo(env, child);
    expect(env.NODE_OPTIONS).toBe(wanted);
  });

  test("is what it was when it is taken out again", () => {
    for (const options of ["--expose-gc", '--title="a b"', undefined]) {
      const env: NodeJS.ProcessEnv = options === undefined ? { A: "1" } : { A: "1", NODE_OPTIONS: options };
      const before = { ...env };
      addTo(env, child);
      removeFrom(env, child);
      expect(env).toEqual(before);
    }
  });

  test("has none of it under the permission model", () => {
    const tracked = { NODE_OPTIONS: `--expose-gc ${OURS}`, HEAPRAY_RUN: "{}" };
    expect(environmentFor(["node", "--permission"], tracked, child)).toEqual({ NODE_OPTIONS: "--expose-gc" });
    expect(environmentFor(["-c", "node --experimental-permission x"], {}, child)).toEqual({});
    expect(environmentFor([], { NODE_OPTIONS: "--permission" }, child)).toEqual({ NODE_OPTIONS: "--permission" });
    expect(environmentFor(["node", "--permission-x"], {}, child)).toEqual({ NODE_OPTIONS: OURS, HEAPRAY_RUN: "{}" });
  });
});
