import { spawnSync } from "node:child_process";
import { cpSync, existsSync, readFileSync, symlinkSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FileReader } from "../../src/analysis/file-reader.js";
import { type Program, Programs } from "../support/attaching.js";
import { cliPath, type Folder, heapray, node, root, temporaryFolder } from "../support/heapray.js";
import { type NodeVersion, nodeVersions } from "../support/node-versions.js";
import { freePort, until } from "../support/running.js";
import { program } from "./truth.js";

const SIZE = 100_003;
/** Where the inspector opens: on the usual port, tests that run side by side would meet. */
const ANY_PORT = "--inspect-port=0";

let folder: Folder;
const programs = new Programs();
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(async () => {
  await programs.stop();
  folder.remove();
});

const capture = () => folder.join("capture.bin");

function attach(pid: number, ...options: string[]): Program {
  const args = [cliPath, "attach", String(pid), "-o", capture(), ...options];
  return programs.start(process.execPath, args, { cwd: folder.path });
}

/** Attaches, and waits until it has. */
async function attached(pid: number, ...options: string[]): Promise<Program> {
  const attaching = attach(pid, ...options);
  await attaching.says("is being tracked");
  return attaching;
}

async function request(port: number, times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    const response = await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: "close" } });
    expect(response.status).toBe(200);
    await response.text();
  }
}

/** Allocations of this size, by the line that made them. */
function madeBy(size: number): Record<string, number> {
  using reader = new FileReader(capture());
  const made: Record<string, number> = {};
  for (const record of reader.getAllocationRecords()) {
    if (record.size !== size) continue;
    const own = record.stackTrace().find(({ file, line }) => line > 0 && !file.startsWith("node:"));
    const name = `${own?.function} ${path.basename(own?.file ?? "")}:${own?.line}`;
    made[name] = (made[name] ?? 0) + 1;
  }
  return made;
}

/** The line that a marker stands in. */
function lineOf(name: string, marker: string): number {
  return (
    readFileSync(program(name), "utf8")
      .split("\n")
      .findIndex((line) => line.includes(marker)) + 1
  );
}

async function startServer({ path: binary }: Pick<NodeVersion, "path">, ...args: string[]) {
  const server = programs.start(binary, [ANY_PORT, program("server.cjs"), ...args]);
  return { server, port: await server.port() };
}

describe.each(nodeVersions)("on $name", (version) => {
  test("a server and its worker are tracked to the line, until attach is interrupted", async () => {
    const { server, port } = await startServer(version, "worker");
    // Compiled, and optimized, before.
    await request(port, 300);
    const attaching = await attached(server.pid);
    await request(port, 7);
    await sleep(100);
    attaching.kill("SIGINT");
    expect(await attaching.ended).toEqual({ status: 0, signal: null });
    expect(attaching.stdout).toBe("");
    expect(attaching.stderr).toMatch(
      /wrote capture\.bin; to see where the memory went, type:\n\n.*flamegraph capture\.bin/,
    );
    await request(port, 1);

    expect(madeBy(SIZE)).toEqual({ [`keep server.cjs:${lineOf("server.cjs", "@keep")}`]: 7 });
    const [[place = "", times] = []] = Object.entries(madeBy(50_021));
    expect(place).toMatch(/^keepInWorker \[worker eval\]:4$/);
    expect(times).toBeGreaterThan(5);
    using reader = new FileReader(capture());
    expect(reader.metadata).toMatchObject({ pid: server.pid, complete: true });
    expect([...readFileSync(capture()).subarray(0, 2)]).toEqual([0x1f, 0x8b]);

    // As it was before.
    expect(server.listening).toEqual([port]);
    expect(server.stdout).toBe(`listens on ${port}\n`);
    const state = await (await fetch(`http://127.0.0.1:${port}/state`)).json();
    expect(state).toMatchObject({ execArgv: [ANY_PORT] });
  });

  test("what the program is made of does not matter: an ES module, frozen intrinsics, a busy loop", async () => {
    const server = programs.start(version.path, ["--frozen-intrinsics", program("server.mjs")]);
    const port = await server.port();
    const attaching = await attached(server.pid, "--native");
    await request(port, 3);
    expect(heapray(["detach", String(server.pid)])).toMatchObject({ status: 0, stdout: "" });
    expect(await attaching.ended).toEqual({ status: 0, signal: null });
    expect(madeBy(SIZE)).toEqual({ "<anonymous> server.mjs:7": 3 });

    const busy = folder.write(
      "busy.cjs",
      "console.log('busy'); for (let i = 0; ; i++) if (i % 100_000 === 0) Buffer.allocUnsafeSlow(10_007);",
    );
    const loop = programs.start(version.path, [busy]);
    await loop.says("busy");
    const second = attach(loop.pid, "-f", "--duration", "0.2");
    expect(await second.ended).toEqual({ status: 0, signal: null });
    expect(Object.keys(madeBy(10_007))).toEqual(["<module> busy.cjs:1"]);
    expect(loop.hasEnded).toBe(false);
  });

  test("an inspector that opens once more, when a busy loop has ended, is closed too", async () => {
    const busy = folder.write(
      "busy.cjs",
      `const { existsSync } = require("node:fs");
       setTimeout(() => {
         console.log("busy");
         while (!existsSync(process.argv[2]));
         setTimeout(() => console.log("turned"), 200);
       });
       setInterval(() => {}, 1000);`,
    );
    const loop = programs.start(version.path, [ANY_PORT, busy, folder.join("enough")]);
    await loop.says("busy");
    const attaching = await attached(loop.pid);
    folder.write("enough", "");
    await loop.says("turned");
    expect(loop.listening).toEqual([]);
    attaching.kill("SIGINT");
    expect(await attaching.ended).toEqual({ status: 0, signal: null });
    expect(loop.listening).toEqual([]);
  });
});

describe("attach", () => {
  const running = { path: process.execPath };

  test("ends after a duration, and writes sums where it is asked to", async () => {
    const { server, port } = await startServer(running);
    const attaching = await attached(server.pid, "--aggregate", "--duration", "0.5");
    await request(port, 5);
    expect(await attaching.ended).toEqual({ status: 0, signal: null });
    using reader = new FileReader(capture());
    const line = lineOf("server.cjs", "@keep");
    const held = [...reader.getHighWatermarkAllocationRecords()].filter((record) =>
      record.stackTrace().some((frame) => frame.function === "keep" && frame.line === line),
    );
    expect(held.reduce((sum, { size }) => sum + size, 0)).toBeGreaterThanOrEqual(5 * SIZE);
    expect(server.listening).toEqual([port]);
  });

  test("records objects of the JavaScript heap, of workers too", async () => {
    const objects = folder.write(
      "objects.cjs",
      `const { Worker, isMainThread } = require("node:worker_threads");
       const kept = [];
       setInterval(function make() { for (let i = 0; i < 1000; i++) kept.push({ i, list: [i, i] }); }, 10);
       if (isMainThread) new Worker(__filename).on("online", () => console.log("ready"));`,
    );
    const running = programs.start(process.execPath, [objects]);
    await running.says("ready");
    const attaching = attach(running.pid, "--trace-js-heap", "--js-heap-interval", "1024", "--duration", "1");
    expect(await attaching.ended).toEqual({ status: 0, signal: null });
    using reader = new FileReader(capture());
    const threads = new Set<number>();
    for (const record of reader.getAllocationRecords()) {
      if (record.stackTrace()[0]?.function === "make" && record.stackTrace()[0]?.line === 3) threads.add(record.tid);
    }
    expect(threads.size).toBe(2);
  });

  test("follows the processes that the program starts from then on", async () => {
    const parent = folder.write(
      "parent.cjs",
      `process.stdin.on("data", () => require("node:child_process").fork(__dirname + "/child.cjs").on("exit", () => console.log("done")));
       console.log("ready");`,
    );
    folder.write("child.cjs", "globalThis.kept = Buffer.allocUnsafeSlow(100_003);");
    const running = programs.start(process.execPath, [parent]);
    await running.says("ready");
    const attaching = await attached(running.pid, "--follow-fork");
    running.tell("go");
    await running.says("done");
    attaching.kill("SIGTERM");
    expect(await attaching.ended).toEqual({ status: 0, signal: null });
    expect(attaching.stderr).toContain("1 capture of a child process next to it (capture.bin.<pid>)");
  });

  test("notices that the program ends, by itself or killed", async () => {
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      const { server, port } = await startServer(running);
      const attaching = await attached(server.pid, "-f");
      await request(port, 4);
      await sleep(100);
      server.kill(signal);
      expect(await attaching.ended).toEqual({ status: 0, signal: null });
      expect(attaching.stderr).toContain(`process ${server.pid} has ended; wrote capture.bin`);
      expect(madeBy(SIZE)).toEqual({ [`keep server.cjs:${lineOf("server.cjs", "@keep")}`]: 4 });
    }
  });

  test("an attach that is killed leaves the process tracked, until detach", async () => {
    const { server, port } = await startServer(running);
    const attaching = await attached(server.pid);
    attaching.kill("SIGKILL");
    await attaching.ended;
    await request(port, 3);
    expect(heapray(["detach", String(server.pid)])).toMatchObject({ status: 0 });
    expect(Object.values(madeBy(SIZE))).toEqual([3]);
    expect(server.listening).toEqual([port]);
  });

  test("leaves an inspector open that was, and works beside a debugger", async () => {
    const server = programs.start(process.execPath, ["--inspect=127.0.0.1:0", program("server.cjs")]);
    const port = await server.port();
    const before = server.listening.sort();
    expect(before).toHaveLength(2);
    const attaching = attach(server.pid, "--duration", "0.3");
    expect(await attaching.ended).toEqual({ status: 0, signal: null });
    expect(server.listening.sort()).toEqual(before);
    await request(port, 1);
  });

  test("closes the inspector again where it is interrupted at any moment", async () => {
    for (const afterMs of [120, 200, 300]) {
      const { server } = await startServer(running);
      const attaching = attach(server.pid, "-f");
      await sleep(afterMs);
      attaching.kill("SIGINT");
      await attaching.ended;
      await until(() => server.listening.length === 1);
      expect(server.hasEnded).toBe(false);
      expect(heapray(["detach", String(server.pid)]).stderr).toContain("is not being tracked by heapray attach.");
    }
  });

  test("a program whose working directory has been removed is tracked", async () => {
    const removed = programs.start(
      process.execPath,
      [
        ANY_PORT,
        folder.write(
          "removed.cjs",
          "const fs = require('fs'); fs.mkdirSync('gone'); process.chdir('gone'); fs.rmdirSync('../gone');" +
            "setInterval(() => Buffer.allocUnsafeSlow(10_007), 1); console.log('ready');",
        ),
      ],
      { cwd: folder.path },
    );
    await removed.says("ready");
    const attaching = attach(removed.pid, "--duration", "0.3");
    expect(await attaching.ended).toEqual({ status: 0, signal: null });
    expect(Object.keys(madeBy(10_007))).toHaveLength(1);
  });

  test("says what is in its way, in one sentence, and leaves the process alone", async () => {
    const refusal = (pid: number | string, ...options: string[]) => {
      const { status, stdout, stderr } = heapray(["attach", String(pid), "-o", capture(), ...options]);
      expect({ status, stdout, lines: stderr.trim().split("\n").length }).toEqual({ status: 1, stdout: "", lines: 1 });
      expect(existsSync(capture())).toBe(false);
      return stderr;
    };
    expect(refusal(2 ** 30)).toContain("there is no process 1073741824");
    expect(refusal("server")).toContain("Give one process id");
    expect(refusal(process.pid, "--duration", "soon")).toContain("Give a number of seconds");

    const other = programs.start("sleep", ["60"]);
    expect(refusal(other.pid)).toMatch(/is not a Node\.js or Python process: it runs \S+\.\n$/);
    expect(other.hasEnded).toBe(false);

    const foreign = folder.join("sleep\x1b]0;hostile\x07\x1b[2J");
    cpSync("/bin/sleep", foreign);
    expect(refusal(programs.start(foreign, ["60"]).pid)).toMatch(/it runs [^\p{Cc}]*\/sleep\.\n$/u);

    const { server: full, port } = await startServer(running);
    expect(spawnSync("prlimit", ["--pid", String(full.pid), "--nofile=27:"]).status).toBe(0);
    expect(refusal(full.pid)).toContain(`with prlimit --pid ${full.pid} --nofile=91:`);
    await request(port, 1);

    const own = folder.write(
      "own.cjs",
      "process.on('SIGUSR1', () => console.log('theirs')); setInterval(() => {}, 1000); console.log('ready');",
    );
    const handles = programs.start(process.execPath, [own]);
    await handles.says("ready");
    expect(refusal(handles.pid)).toContain("the program has a SIGUSR1 handler of its own");
    expect(handles.hasEnded).toBe(false);

    const { server } = await startServer(running);
    server.kill("SIGSTOP");
    await until(() => /\)\sT/.test(readFileSync(`/proc/${server.pid}/stat`, "latin1")));
    expect(refusal(server.pid)).toContain(`kill -CONT ${server.pid}`);
    server.kill("SIGCONT");

    const attaching = programs.start(process.execPath, [
      cliPath,
      "attach",
      String(server.pid),
      "-o",
      folder.join("first.bin"),
    ]);
    await attaching.says("is being tracked");
    expect(refusal(server.pid)).toContain(
      `is being tracked already: stop that first, with heapray detach ${server.pid}.`,
    );
    expect(heapray(["detach", String(server.pid)]).status).toBe(0);
    expect((await attaching.ended).status).toBe(0);
  });

  test("tells who tracks a process that heapray run started", async () => {
    const server = programs.start(process.execPath, [
      cliPath,
      "run",
      "-q",
      "-o",
      folder.join("run.bin"),
      program("server.cjs"),
    ]);
    await server.port();
    const pid = Number(readFileSync(`/proc/${server.pid}/task/${server.pid}/children`, "latin1").trim());
    expect(heapray(["attach", String(pid), "-o", capture()]).stderr).toContain("is being tracked already");
    expect(heapray(["detach", String(pid)]).stderr).toContain("it is by heapray run, or by itself, until it ends");
    process.kill(pid);
    await server.ended;
  });

  test.skipIf(process.getuid?.() !== 0)(
    "other users' processes: root may, others may not, and who writes is told",
    async () => {
      const nobody = 65_534;
      const code = "require('node:http').createServer().listen(0, '127.0.0.1', () => console.log('ready'))";
      const theirs = programs.start(process.execPath, ["-e", code], { cwd: "/", uid: nobody });
      await theirs.says("ready");
      expect(heapray(["attach", String(theirs.pid), "-o", capture()]).stderr).toContain(
        "runs as nobody, who has to write the capture, and cannot",
      );
      const { server } = await startServer(running);
      const refused = programs.start(
        process.execPath,
        [cliPath, "attach", String(server.pid), "-o", "/tmp/never.bin"],
        {
          cwd: "/",
          uid: nobody,
        },
      );
      expect((await refused.ended).status).toBe(1);
      expect(refused.stderr).toMatch(/belongs to root, and you are nobody: run heapray as that user, or as root/);
    },
  );

  /** An installation of its own. */
  function install(...parts: string[]): string {
    for (const part of ["bin", "dist", "package.json", ...parts]) {
      cpSync(path.join(root, part), folder.join(part), { recursive: true });
    }
    symlinkSync(path.join(root, "node_modules"), folder.join("node_modules"));
    return folder.join("bin/heapray.js");
  }

  test("an agent that is not built is told of, with the command that builds it", async () => {
    const cli = install();
    const { server, port } = await startServer(running);
    const { stderr } = node([cli, "attach", String(server.pid), "-o", capture()]);
    expect(stderr).toBe(
      `heapray: process ${server.pid} runs Node.js ${process.version}, for which heapray's agent is not built: ` +
        `run "node ${folder.join("scripts/build-native.mjs")} --node ${process.execPath}".\n`,
    );
    expect(server.listening).toEqual([port]);
  });

  test("what one installation tracks, another one knows of, and can end", async () => {
    const cli = install(`build/node-v${process.versions.modules}/heapray.node`);
    const { server, port } = await startServer(running);
    const attaching = programs.start(process.execPath, [
      cli,
      "attach",
      String(server.pid),
      "-o",
      folder.join("theirs.bin"),
    ]);
    await attaching.says("is being tracked");
    expect(heapray(["attach", String(server.pid), "-o", capture()]).stderr).toContain("is being tracked already");
    expect(heapray(["detach", String(server.pid)])).toMatchObject({ status: 0 });
    expect(await attaching.ended).toEqual({ status: 0, signal: null });
    const own = await attached(server.pid);
    await request(port, 2);
    own.kill("SIGINT");
    await own.ended;
    expect(Object.values(madeBy(SIZE))).toEqual([2]);
  });

  test("another program's inspector on the same port is told of", async () => {
    const taken = await freePort();
    const debugged = programs.start(process.execPath, [`--inspect=127.0.0.1:${taken}`, program("server.cjs")]);
    await debugged.port();
    const server = programs.start(process.execPath, [`--inspect-port=${taken}`, program("server.cjs")]);
    const port = await server.port();
    const { status, stderr } = heapray(["attach", String(server.pid), "-o", capture()]);
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: expect.stringMatching(
        `on port ${taken}, where process ${debugged.pid} \\(.*server.cjs\\) listens: close that one`,
      ),
    });
    expect(server.listening).toEqual([port]);
    expect(server.stderr).toBe("");
  });
});
