import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FileReader } from "../../src/analysis/file-reader.js";
import { isRange } from "../../src/capture/allocators.js";
import { cliPath, type Folder, heapray, root, temporaryFolder } from "../support/heapray.js";
import { nodeVersions } from "../support/node-versions.js";
import { Running, until } from "../support/running.js";
import { isRelease } from "../tracking/truth.js";

const CJS = path.join(root, "dist/index.cjs");

let folder: Folder;
let running: Running | undefined;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => {
  running?.kill("SIGKILL");
  running = undefined;
  folder.remove();
});

/** Allocates a block of each size that it is told on standard input, runs other lines as code, and says when it has. */
const OBEYS = `
  function make(size) { return Buffer.allocUnsafeSlow(size); }
  globalThis.kept = [];
  require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
    if (/^\\d+$/.test(line)) kept.push(make(Number(line)));
    else eval(line);
    console.log("did", line);
  });
  console.log("pid", process.pid, "ready");
`;

interface Program {
  readonly pid: number;
  readonly heapray: Running;
  /** Has it do this, and waits until it has. */
  does(line: string | number): Promise<void>;
  /** Sends it SIGUSR2, and waits until heapray has said this. */
  signalled(says: string): Promise<void>;
  /** Ends its standard input, and so the program. */
  ends(): Promise<{ status: number | null; signal: NodeJS.Signals | null; stdout: string; stderr: string }>;
}

async function start(options: readonly string[], { text = OBEYS, binary = process.execPath } = {}): Promise<Program> {
  const script = folder.write("program.cjs", text);
  const heapray = new Running(binary, [cliPath, "run", ...options, script], folder.path);
  running = heapray;
  await heapray.says("ready");
  const pid = Number(/pid (\d+)/.exec(heapray.stdout)?.[1]);
  let count = 0;
  return {
    pid,
    heapray,
    async does(line) {
      heapray.tell(String(line));
      count += 1;
      await until(() => (heapray.stdout.match(/^did /gm)?.length ?? 0) >= count);
    },
    async signalled(says) {
      process.kill(pid, "SIGUSR2");
      await until(() => heapray.stderr.includes(says));
    },
    ends() {
      heapray.tell("process.exit(7)");
      return heapray.ended;
    },
  };
}

/** The sizes from 14,000 to 14,999 that a capture holds, in order, and whether make() is on their stacks. */
function sizesIn(name: string): number[] {
  using reader = new FileReader(folder.join(name));
  return [...reader.getAllocationRecords()]
    .filter(({ size, allocator }) => size >= 14_000 && size < 15_000 && !isRelease(allocator))
    .filter((record) => record.stackTrace().some(({ function: name }) => name === "make"))
    .map(({ size }) => size);
}

function isComplete(name: string): boolean {
  using reader = new FileReader(folder.join(name));
  return reader.metadata.complete;
}

const captures = () =>
  readdirSync(folder.path)
    .filter((name) => name.includes(".bin"))
    .sort();

const isGzip = (name: string) => readFileSync(folder.join(name)).readUInt16BE(0) === 0x1f8b;

describe.each(nodeVersions)("on $name", ({ path: binary }) => {
  test("nothing is recorded but in windows, each of which is a capture of its own", async () => {
    const program = await start(["--start-paused"], { binary });
    const { pid, heapray } = program;
    const greeting = `[heapray] process ${pid} is not recorded yet; to begin a window, and to end it, type:\n\n  kill -USR2 ${pid}\n\n`;
    // Another pipe than that of the program's first words: it may come later.
    await until(() => heapray.stderr.length >= greeting.length);
    expect(heapray.stderr).toBe(greeting);
    await program.does(14_001);
    expect(captures()).toEqual([]);
    await program.signalled("window 1 has begun");
    await program.does(14_002);
    await program.does("console.log('listeners', process.listenerCount('SIGUSR2'))");
    await program.signalled("window 1 has ended");
    await program.does(14_003);
    const first = `heapray-program.cjs.${pid}.1.bin`;
    // While the program goes on.
    await until(() => isGzip(first));
    await program.signalled("window 2 has begun");
    await program.does(14_004);
    const ended = await program.ends();
    expect(ended).toMatchObject({ status: 7, stdout: expect.stringContaining("listeners 0\n") });
    const second = `heapray-program.cjs.${pid}.2.bin`;
    expect(ended.stderr).toContain(`heapray.js flamegraph ${first}\n`);
    expect(ended.stderr).toContain(`[heapray] recorded 2 windows (${first} to ${second}).\n`);
    expect(captures()).toEqual([first, second]);
    expect([sizesIn(first), sizesIn(second)]).toEqual([[14_002], [14_004]]);
    expect([isComplete(first), isComplete(second), isGzip(second)]).toEqual([true, true, true]);
  });

  test("a busy program is recorded at once, not when its work is done", async () => {
    const text = `
      function make(size) { return Buffer.allocUnsafeSlow(size); }
      const { existsSync } = require("node:fs");
      console.log("pid", process.pid, "ready");
      // Until its second window is there: three signals later.
      for (let i = 0; !existsSync("a.2.bin"); i++) make(14000 + i % 10);
      console.log("done");`;
    const program = await start(["--start-paused", "-o", "a.bin"], { text, binary });
    await program.signalled("window 1 has begun");
    // A signal that comes at once is seen to at once, too: then nothing has been made in between.
    await setTimeout(300);
    await program.signalled("window 1 has ended");
    await program.signalled("window 2 has begun");
    const ended = await program.heapray.ended;
    expect(ended).toMatchObject({ status: 0, stdout: expect.stringContaining("done") });
    expect(sizesIn("a.1.bin").length).toBeGreaterThan(0);
    expect(isComplete("a.2.bin")).toBe(true);
  });
});

describe("a signal", () => {
  test("is passed on by heapray, and waits until the program is ready for it", async () => {
    folder.write(
      "slow.cjs",
      "if (process.env.HEAPRAY_RUN) { console.log('slow'); for (const t = Date.now(); Date.now() < t + 400;); }",
    );
    const script = folder.write("program.cjs", `${OBEYS} make(14001);`);
    const env = { ...process.env, NODE_OPTIONS: `--require ${folder.join("slow.cjs")}` };
    const heapray = new Running(
      process.execPath,
      [cliPath, "run", "--start-paused", "-o", "a.bin", script],
      folder.path,
      env,
    );
    running = heapray;
    await heapray.says("slow");
    heapray.kill("SIGUSR2");
    await heapray.says("ready");
    await until(() => heapray.stderr.includes("window 1 has begun"));
    heapray.kill("SIGUSR2");
    await until(() => heapray.stderr.includes("window 1 has ended"));
    heapray.tell("process.exit()");
    expect(await heapray.ended).toMatchObject({ status: 0, signal: null });
  });

  test("that the program handles itself reaches both", async () => {
    const program = await start(["--start-paused", "-o", "a.bin"]);
    await program.does("process.on('SIGUSR2', () => console.log('mine'))");
    await program.signalled("window 1 has begun");
    await program.heapray.says("mine");
    await program.does(14_001);
    await program.does("process.removeAllListeners('SIGUSR2')");
    await program.signalled("window 1 has ended");
    expect(await program.ends()).toMatchObject({ status: 7, signal: null });
    expect(sizesIn("a.1.bin")).toEqual([14_001]);
  });

  test("after the other, many in a row: each begins or ends a window", async () => {
    const program = await start(["--start-paused", "-o", "a.bin"]);
    for (let i = 0; i < 9; i++) {
      process.kill(program.pid, "SIGUSR2");
      await program.does(14_000 + i);
    }
    // Signals that come before the last one was seen are one. The windows that they began are ended, and one more begun.
    await until(() => program.heapray.stderr.includes("has begun"));
    await until(() => {
      process.kill(program.pid, "SIGUSR2");
      return captures().length > 1;
    });
    expect(await program.ends()).toMatchObject({ status: 7 });
    for (const name of captures()) expect(isComplete(name)).toBe(true);
    expect(captures().length).toBeGreaterThan(1);
  });

  test("does to what the program starts what it always did", async () => {
    const program = await start(["--start-paused", "-o", "a.bin"]);
    await program.does(
      `
      const child = require("node:child_process").spawn("sleep", ["20"]);
      child.on("exit", (code, signal) => console.log("child:", signal)); child.kill("SIGUSR2");`.replaceAll("\n", " "),
    );
    await program.heapray.says("child: SIGUSR2");
    expect((await program.ends()).stderr).toContain("[heapray] no window was recorded.\n");
  });

  test("ends a program without --start-paused as ever, but for one that asks for windows", async () => {
    const plain = await start(["-q", "-o", "plain.bin"]);
    process.kill(plain.pid, "SIGUSR2");
    expect(await plain.heapray.ended).toMatchObject({ signal: "SIGUSR2" });
    const program = await start(["--window-signal", "hup", "-o", "a.bin"]);
    await program.does(14_001);
    process.kill(program.pid, "SIGHUP");
    await until(() => program.heapray.stderr.includes("window 1 has ended"));
    await program.does(14_002);
    process.kill(program.pid, "SIGHUP");
    await until(() => program.heapray.stderr.includes("window 2 has begun"));
    await program.does(14_003);
    await program.ends();
    expect([sizesIn("a.1.bin"), sizesIn("a.2.bin")]).toEqual([[14_001], [14_003]]);
  });
});

describe("a window that is open", () => {
  test.each([
    ["process.kill(process.pid, 'SIGTERM')", "SIGTERM", true],
    ["process.abort()", "SIGABRT", true],
    ["process.kill(process.pid, 'SIGKILL')", "SIGKILL", false],
    ["throw new Error()", null, true],
  ] as const)("as the program ends by %s loses nothing", async (line, signal, complete) => {
    const program = await start(["--start-paused", "-o", "a.bin"]);
    await program.signalled("window 1 has begun");
    await program.does(14_001);
    program.heapray.tell(line);
    const ended = await program.heapray.ended;
    expect(ended.signal).toBe(signal);
    expect(ended.stderr).toContain("[heapray] recorded 1 window (a.1.bin).\n");
    expect(sizesIn("a.1.bin")).toEqual([14_001]);
    expect(isComplete("a.1.bin")).toBe(complete);
  });

  test("is completed even where the program ends while it does", async () => {
    const program = await start(["--start-paused", "--aggregate", "-o", "a.bin"]);
    await program.signalled("window 1 has begun");
    await program.does(14_001);
    process.kill(program.pid, "SIGUSR2");
    process.kill(program.pid, "SIGTERM");
    expect(await program.heapray.ended).toMatchObject({ signal: "SIGTERM" });
    expect(isComplete("a.1.bin")).toBe(true);
  });

  test("keeps trackers of the program's own out, and those keep windows out", async () => {
    const program = await start(["--start-paused", "-o", "a.bin"]);
    await program.does(
      `globalThis.make2 = () => { try { return new (require(${JSON.stringify(CJS)}).Tracker)("own.bin"); } catch (error) { console.log(error.name); } }`,
    );
    await program.does("globalThis.own = make2()");
    await program.signalled("no window begins: a tracker is active in this process; stop it first.");
    await program.does(14_001);
    await program.does("own.stop()");
    expect(sizesIn("own.bin")).toEqual([14_001]);
    await program.signalled("window 1 has begun");
    await program.does("make2()");
    await program.heapray.says("TrackerActiveError");
    await program.does(14_002);
    await program.ends();
    expect(sizesIn("a.1.bin")).toEqual([14_002]);
  });
});

describe("windows' captures", () => {
  test("never take the place of others, unless told", async () => {
    folder.write("a.3.bin", "precious");
    const script = folder.write("program.cjs", OBEYS);
    expect(heapray(["run", "--start-paused", "-o", "a.bin", script], { cwd: folder.path })).toMatchObject({
      status: 1,
      stderr: "heapray: a.3.bin exists; give -f to overwrite it, or another name with -o.\n",
    });
    const program = await start(["--start-paused", "-o", "b.bin"]);
    folder.write("b.1.bin", "precious");
    await program.signalled("window 2 has begun");
    await program.ends();
    expect(readFileSync(folder.join("b.1.bin"), "utf8")).toBe("precious");
    const forced = await start(["--start-paused", "-f", "-o", "b.bin"]);
    await forced.signalled("window 1 has begun");
    await forced.does(14_001);
    await forced.ends();
    expect(sizesIn("b.1.bin")).toEqual([14_001]);
  });

  test("where one cannot be written the program goes on", async () => {
    const program = await start(["--start-paused", "-o", "a.bin"]);
    await program.does(
      `require("node:fs").renameSync(${JSON.stringify(folder.path)}, ${JSON.stringify(`${folder.path}.away`)})`,
    );
    await program.signalled("no window begins: cannot write the capture");
    await program.does(
      `require("node:fs").renameSync(${JSON.stringify(`${folder.path}.away`)}, ${JSON.stringify(folder.path)})`,
    );
    await program.signalled("window 1 has begun");
    expect(await program.ends()).toMatchObject({ status: 7 });
  });

  test.each([
    ["--aggregate"],
    ["--native", "--embed-symbols"],
    ["--trace-js-heap"],
    ["--buffered-file-io"],
    ["--no-compress"],
  ])("are made with %s too", async (...options) => {
    const program = await start(["--start-paused", ...options, "-o", "a.bin"]);
    for (const [i, name] of ["a.1.bin", "a.2.bin"].entries()) {
      await program.signalled(`window ${i + 1} has begun`);
      await program.does(14_001 + i);
      if (options[0] === "--trace-js-heap")
        await program.does("kept.push(Array.from({ length: 1e5 }, () => ({ a: 1 })))");
      await program.signalled(`window ${i + 1} has ended`);
      using reader = new FileReader(folder.join(name));
      const records = [...reader.getLeakedAllocationRecords()];
      const sizes = records.map(({ size }) => size);
      // Less what V8's heap happens to grow by there.
      const made = records.filter(
        (record) => !isRange(record.allocator) && record.stackTrace().some(({ function: name }) => name === "make"),
      );
      const total = made.reduce((sum, { size }) => sum + size, 0);
      expect(total).toBeGreaterThanOrEqual(14_001 + i);
      // With what belongs to it.
      expect(total).toBeLessThan(20_000);
      if (options[0] === "--native") expect(reader.metadata.hasNativeTraces).toBe(true);
      if (options[0] === "--trace-js-heap") expect(Math.max(...sizes)).toBeGreaterThan(400_000);
    }
    await program.ends();
    expect(isGzip("a.1.bin")).toBe(options[0] !== "--no-compress");
    expect(statSync(folder.join("a.1.bin")).mode & 0o777).toBe(0o600);
  });

  test("are each process's own where children are followed", async () => {
    const program = await start(["--start-paused", "--follow-fork", "-o", "a.bin"]);
    const child = folder.write(
      "child.cjs",
      `${OBEYS} process.on("message", (size) => { kept.push(make(size)); process.send(size); });`,
    );
    await program.does(
      `globalThis.child = require("node:child_process").fork(${JSON.stringify(child)}, { stdio: ["pipe", 1, 2, "ipc"] }); child.on("message", (size) => console.log("child did", size))`,
    );
    await program.heapray.says(/ready[\s\S]*ready/);
    const pid = Number(/ready[\s\S]*pid (\d+)/.exec(program.heapray.stdout)?.[1]);
    process.kill(pid, "SIGUSR2");
    await until(() => program.heapray.stderr.includes(`process ${pid}: window 1 has begun`));
    await program.does("child.send(14001)");
    await program.heapray.says("child did 14001");
    await program.does(14_002);
    process.kill(pid, "SIGUSR2");
    await until(() => program.heapray.stderr.includes(`process ${pid}: window 1 has ended`));
    await program.does("child.kill()");
    const ended = await program.ends();
    expect(captures()).toEqual([`a.${pid}.1.bin`]);
    expect(sizesIn(`a.${pid}.1.bin`)).toEqual([14_001]);
    expect(ended.stderr).toContain("[heapray] recorded 0 windows, and 1 window of child processes.\n");
  });
});

test("with -q nothing is said, and the program is as it was", async () => {
  const program = await start(["-q", "--start-paused", "-o", "a.bin"]);
  process.kill(program.pid, "SIGUSR2");
  await until(() => existsSync(folder.join("a.1.bin")));
  const ended = await program.ends();
  expect(ended.stderr).toBe("");
});

test("descriptors and threads do not grow with windows", async () => {
  const program = await start(["-q", "--start-paused", "-o", "a.bin"]);
  const look = () => ({
    descriptors: readdirSync(`/proc/${program.pid}/fd`).length,
    threads: readdirSync(`/proc/${program.pid}/task`).length,
  });
  const window = async (number: number) => {
    process.kill(program.pid, "SIGUSR2");
    await until(() => existsSync(folder.join(`a.${number}.bin`)));
    await program.does(14_001);
    process.kill(program.pid, "SIGUSR2");
    await until(() => isGzip(`a.${number}.bin`));
  };
  await window(1);
  const before = look();
  for (let i = 2; i <= 20; i++) await window(i);
  expect(look()).toEqual(before);
  await program.ends();
});

test("what does not go with windows is refused", () => {
  const script = folder.write("program.cjs", "");
  const run = (...options: string[]) => heapray(["run", ...options, script], { cwd: folder.path });
  expect(run("--start-paused", "--live-remote").stderr).toBe(
    "heapray: --start-paused does not go with --live-remote: windows are written into files.\n",
  );
  expect(run("--window-signal", "SIGUSR1").stderr).toContain("It is one of SIGUSR2, SIGHUP, SIGALRM and none");
});
