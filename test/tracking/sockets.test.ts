import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FileReader } from "../../src/analysis/file-reader.js";
import { LiveCapture } from "../../src/analysis/live-capture.js";
import { SocketReader } from "../../src/analysis/socket-reader.js";
import type { AllocationRecord } from "../../src/capture/records.js";
import { livePort } from "../../src/cli/live-port.js";
import { readTextFile } from "../../src/symbols/text-files.js";
import { CaptureWriter } from "../support/capture-writer.js";
import { cliPath, type Folder, heapray, node, root, temporaryFolder } from "../support/heapray.js";
import { nodeVersions } from "../support/node-versions.js";
import { freePort, Running, until } from "../support/running.js";
import { expected, found, isRelease, ownStack, program, truthsOf } from "./truth.js";

const CJS = path.join(root, "dist/index.cjs");
const TOLD = program("told.cjs");
const SIZE = 100_003;
/** Of the program, on the machine's worst day. */
const SOON = { timeoutMs: 20_000 };

/** Bytes that wait for a client at most, and what the flooding program itself may grow by. */
const MOST_WAITING = 32 * 2 ** 20;
const OWN_GARBAGE = 120 * 2 ** 20;

let folder: Folder;
let port: number;
const running: Running[] = [];
const closing: (() => void)[] = [];
beforeEach(async () => {
  folder = temporaryFolder();
  port = await freePort();
});
afterEach(async () => {
  for (const close of closing.splice(0)) close();
  for (const one of running.splice(0)) {
    one.kill("SIGKILL");
    await one.ended;
  }
  folder.remove();
});

function start(binary: string, args: readonly string[]): Running {
  const started = new Running(binary, args, folder.path);
  running.push(started);
  return started;
}

/** `heapray run --live-remote` of the program that does what it is told. */
function startTold(binary: string, ...options: string[]): Running {
  return start(binary, [cliPath, "run", "--live-remote", "--live-port", String(port), ...options, TOLD]);
}

async function connected(): Promise<SocketReader> {
  const reader = new SocketReader({ port });
  closing.push(() => reader.close());
  await reader.connect(SOON);
  return reader;
}

/** A client that does nothing by itself. */
async function rawClient(): Promise<Socket> {
  for (const deadline = Date.now() + SOON.timeoutMs; ; await sleep(20)) {
    const socket = connect({ port, host: "127.0.0.1" });
    closing.push(() => socket.destroy());
    const error = await new Promise<Error | undefined>((resolve) => {
      socket.on("connect", () => resolve(undefined)).on("error", resolve);
    });
    if (error === undefined) return socket;
    if (Date.now() > deadline) throw error;
  }
}

/** The most memory that the process has had, bytes. */
function peakRss(pid: number): number {
  return 1024 * Number(/^VmHWM:\s*(\d+)/mu.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
}

/** How many of the program's buffers records tell of, by place: beside each lie small objects of its own. */
function held(records: Iterable<AllocationRecord>): string[] {
  return [...records]
    .filter(({ size }) => size >= SIZE)
    .map((record) => `${Math.floor(record.size / SIZE)} x ${ownStack(record.stackTrace())}`)
    .filter((line) => / x (?:hold|kept) /u.test(line));
}

function summed(records: Iterable<AllocationRecord>): string[] {
  return [...records].map(
    (record) =>
      `${record.tid} ${record.threadName} ${record.allocator} ${record.nAllocations} x ${record.size} ${ownStack(record.stackTrace())}`,
  );
}

async function codeOf(work: () => unknown): Promise<string> {
  try {
    await work();
    return "fine";
  } catch (error) {
    const { name, code, message } = error as { name: string; code?: string; message: string };
    return `${name} ${code}: ${message}`;
  }
}

describe.each(nodeVersions)("on $name", ({ path: binary }) => {
  const [truth = ""] = expected(truthsOf([TOLD]))[SIZE] ?? [];

  test("a client sees what is live, as it happens", async () => {
    const told = startTold(binary);
    const reader = await connected();
    await told.says(/pid \d+\n/u);
    expect(`pid ${reader.pid}\n`).toBe(told.stdout);
    expect(reader.commandLine[1]).toBe(TOLD);
    expect([reader.isActive, reader.hasNativeTraces, reader.end]).toEqual([true, false, undefined]);
    expect(held(reader.getCurrentSnapshot())).toEqual([]);

    const before = reader.currentMemory;
    told.tell("hold");
    await until(() => held(reader.getCurrentSnapshot()).join() === truth);
    expect(held(reader.getCurrentSnapshot({ mergeThreads: false }))).toEqual([truth]);
    const during = reader.currentMemory;
    expect(during).toBeGreaterThan(before + 8 * SIZE);
    told.tell("free");
    await until(() => held(reader.getCurrentSnapshot()).length === 0);
    expect(reader.peakMemory).toBeGreaterThanOrEqual(during);
    const snapshot = reader.lastMemorySnapshot;
    await until(() => (reader.lastMemorySnapshot?.timeMs ?? 0) > (snapshot?.timeMs ?? 0));
    expect([...reader.getMemorySnapshots()].length).toBeGreaterThan(1);
    expect(reader.isActive).toBe(true);

    told.tell("hold");
    told.tell("end");
    expect(await reader.untilEnd()).toMatchObject({ reason: "exit" });
    expect(reader.isActive).toBe(false);
    expect(held(reader.getCurrentSnapshot())).toEqual([truth]);
    const { status, signal, stderr } = await told.ended;
    expect([status, signal]).toEqual([0, null]);
    // What to do, and nothing of a capture.
    expect(stderr).toMatch(
      new RegExp(`^\\[heapray\\] the program waits for a client .*port ${port};.* live ${port}\\n\\n$`, "su"),
    );
    expect(readdirSync(folder.path)).toEqual([]);
  });

  test("the bytes are those of a file, and so are the figures", async () => {
    const told = startTold(binary, "-q");
    const socket = await rawClient();
    const pieces: Buffer[] = [];
    const live = new LiveCapture("live", { readText: readTextFile });
    socket.on("data", (bytes) => {
      pieces.push(bytes);
      live.push(bytes);
    });
    for (const word of ["hold", "some", "free", "hold", "end"]) told.tell(word);
    const { stderr, status } = await told.ended;
    await until(() => socket.closed);
    expect([stderr, status]).toEqual(["", 0]);
    writeFileSync(folder.join("socket.bin"), Buffer.concat(pieces));
    using streamed = new FileReader(folder.join("socket.bin"));
    expect(streamed.metadata.complete).toBe(true);
    expect(summed(live.records())).toEqual(summed(streamed.getLeakedAllocationRecords()));
    expect(live.peakBytes).toBe(streamed.metadata.peakMemory);
    expect(live.snapshots).toEqual([...streamed.getMemorySnapshots()]);

    const file = heapray(["run", "-q", "-o", "file.bin", TOLD], {
      cwd: folder.path,
      node: binary,
      input: "hold\nsome\nfree\nhold\nend\n",
    });
    expect(file).toMatchObject({ status: 0, stderr: "" });
    using written = new FileReader(folder.join("file.bin"));
    const [fromFile, fromSocket] = [written, streamed].map((reader) => ({
      leaked: held(reader.getLeakedAllocationRecords()),
      all: [...reader.getAllocationRecords()].filter(({ size, allocator }) => size === SIZE && !isRelease(allocator))
        .length,
    }));
    expect(fromSocket).toEqual(fromFile);
    expect(fromSocket).toEqual({ leaked: [truth], all: 20 });
    expect(found(folder.join("socket.bin"), [{ size: SIZE, count: 20, stack: "" }])[SIZE]).toEqual([
      truth.replace("10", "20"),
    ]);
  });

  test("records arrive while the program is idle, long before a memory snapshot", async () => {
    const told = startTold(binary, "--memory-interval-ms", "3600000");
    const reader = await connected();
    await told.says("pid");
    for (let i = 1; i <= 3; i++) {
      told.tell("hold");
      await told.says(new RegExp(`(hold done\\n){${i}}`, "u"));
      const printed = Date.now();
      await until(() => held(reader.getCurrentSnapshot()).join() === truth.replace("10", String(10 * i)));
      expect(Date.now() - printed).toBeLessThan(1000);
    }
  });

  test("the first client is the only one", async () => {
    const told = startTold(binary);
    const reader = await connected();
    const second = new SocketReader({ port });
    expect(await codeOf(() => second.connect())).toMatch(
      /^CaptureError CONNECTION: Cannot read from 127\.0\.0\.1:\d+: no program waits for a client there/u,
    );
    told.tell("hold");
    await until(() => held(reader.getCurrentSnapshot()).length === 1);
  });

  test("a client that vanishes ends tracking, and not the program", async () => {
    const told = startTold(binary, "-q");
    const reader = await connected();
    await told.says("pid");
    reader.close();
    expect([reader.isActive, await reader.untilEnd()]).toEqual([false, undefined]);
    expect(await codeOf(() => reader.getCurrentSnapshot())).toMatch("CLOSED");
    told.tell("trickle");
    await until(() => told.stderr !== "");
    told.tell("end");
    const ended = await told.ended;
    expect(ended).toMatchObject({ status: 0, signal: null });
    expect(ended.stdout).toMatch(/trickle done\nend done\n$/u);
    expect(ended.stderr).toMatch(
      /^heapray: tracking stopped, the program goes on: the client at 127\.0\.0\.1:\d+ closed the connection\n$/u,
    );
  });

  test("a client that never reads ends tracking, and not the program", async () => {
    const told = startTold(binary, "-q");
    const socket = await rawClient();
    socket.pause();
    const start = Date.now();
    await told.says("pid");
    const pid = Number(/pid (\d+)/u.exec(told.stdout)?.[1]);
    const before = peakRss(pid);
    told.tell("flood");
    await told.says("flood done");
    // What waits for the client, and what the program itself holds between two collections.
    expect(peakRss(pid) - before).toBeLessThan(MOST_WAITING + OWN_GARBAGE);
    told.tell("fail");
    const ended = await told.ended;
    expect(ended).toMatchObject({ status: 9, signal: null });
    expect(ended.stderr).toMatch(
      /^heapray: tracking stopped, the program goes on: the client at 127\.0\.0\.1:\d+ reads too slowly\n$/u,
    );
    expect(Date.now() - start).toBeLessThan(30_000);
  });

  test("at the end a client that never reads is waited for no longer than a while", async () => {
    const told = startTold(binary, "-q");
    const socket = await rawClient();
    socket.pause();
    told.tell("trickle");
    await told.says("trickle done");
    const start = Date.now();
    told.tell("end");
    const ended = await told.ended;
    expect(ended).toMatchObject({ status: 0, signal: null });
    expect(ended.stderr).toMatch(/^heapray: the capture is not complete: the client at \S+ reads too slowly\n$/u);
    expect(Date.now() - start).toBeLessThan(8000);
  });

  test("of a process that is killed, the client keeps what it has", async () => {
    const told = startTold(binary, "-q");
    const reader = await connected();
    told.tell("hold");
    await until(() => held(reader.getCurrentSnapshot()).join() === truth);
    process.kill(reader.pid, "SIGKILL");
    expect(await reader.untilEnd()).toBeUndefined();
    expect([reader.isActive, held(reader.getCurrentSnapshot())]).toEqual([false, [truth]]);
    expect(await told.ended).toMatchObject({ signal: "SIGKILL" });
  });

  test("a tracker waits for its client, stops, and another one starts", async () => {
    const text = `
      const { Tracker, SocketDestination } = require(${JSON.stringify(CJS)});
      const destination = new SocketDestination({ serverPort: ${port} });
      for (let i = 0; i < 3; i++) {
        const tracker = new Tracker({ destination });
        const buffer = (function kept() {
          return Buffer.allocUnsafeSlow(${SIZE});
        })();
        console.log(tracker.active, buffer.length, tracker.stop(), tracker.active);
      }`;
    const started = start(binary, [folder.write("script.cjs", text)]);
    for (let i = 0; i < 3; i++) {
      await using reader = new SocketReader({ port });
      await reader.connect(SOON);
      expect(await reader.untilEnd()).toMatchObject({ reason: "stop" });
      expect(held(reader.getCurrentSnapshot())).toHaveLength(1);
    }
    expect(await started.ended).toEqual({
      status: 0,
      signal: null,
      stdout: `true ${SIZE} true false\n`.repeat(3),
      stderr: "",
    });
  });

  test("Ctrl-C ends a program that waits for a client", async () => {
    const told = startTold(binary);
    const script = `const { Tracker, SocketDestination } = require(${JSON.stringify(CJS)});
      new Tracker({ destination: new SocketDestination({ serverPort: ${await freePort()} }) });`;
    const alone = start(binary, [folder.write("script.cjs", `console.log("waits"); ${script}`)]);
    await alone.says("waits");
    await until(() => told.stderr !== "");
    await sleep(300);
    for (const one of [told, alone]) {
      one.kill("SIGINT");
      expect(await one.ended).toMatchObject({ status: null, signal: "SIGINT" });
    }
    expect(told.stdout).toBe("");
  });

  test("a signal that the program handles ends the waiting", async () => {
    const text = `
      const { Tracker, SocketDestination } = require(${JSON.stringify(CJS)});
      process.on("SIGINT", () => console.log("handled"));
      process.on("SIGUSR2", () => {});
      console.log("waits");
      try {
        new Tracker({ destination: new SocketDestination({ serverPort: ${port} }) });
      } catch (error) {
        console.log(error.name, error.code, error.message);
      }
      setTimeout(() => process.kill(process.pid, "SIGINT"), 100);
      setTimeout(() => {}, 200);`;
    const waiting = start(binary, [folder.write("script.cjs", text)]);
    await waiting.says("waits");
    await sleep(100);
    waiting.kill("SIGUSR2");
    await sleep(200);
    expect(waiting.stdout).toBe("waits\n");
    waiting.kill("SIGINT");
    expect(await waiting.ended).toEqual({
      status: 0,
      signal: null,
      stdout: `waits
SocketInterruptedError HEAPRAY_SOCKET_INTERRUPTED SIGINT came before a client had connected to 127.0.0.1, port ${port}: nothing is tracked.
handled
handled
`,
      stderr: "",
    });
    // The port is free again.
    await new Promise((resolve) => {
      const server = createServer();
      closing.push(() => server.close());
      server.listen(port, "127.0.0.1", () => resolve(undefined));
    });
  });

  test("a worker thread that waits can be terminated", async () => {
    const text = `
      const { Worker, isMainThread, parentPort } = require("node:worker_threads");
      if (isMainThread) {
        const worker = new Worker(__filename);
        worker.on("error", (error) => console.log(error.message));
        worker.on("message", () => setTimeout(async () => console.log(await worker.terminate()), 300));
      } else {
        parentPort.postMessage("here");
        const { Tracker, SocketDestination } = require(${JSON.stringify(CJS)});
        new Tracker({ destination: new SocketDestination({ serverPort: ${port} }) });
      }`;
    const started = start(binary, [folder.write("script.cjs", text)]);
    expect(await started.ended).toEqual({ status: 0, signal: null, stdout: "1\n", stderr: "" });
  });

  test("what is wrong with a destination is said in one sentence", async () => {
    const server = createServer();
    closing.push(() => server.close());
    await new Promise((resolve) => server.listen(port, "127.0.0.1", () => resolve(undefined)));
    const text = `
      const heapray = require(${JSON.stringify(CJS)});
      const { Tracker, SocketDestination, FileFormat } = heapray;
      const attempt = (destination, options) => {
        try {
          new Tracker({ destination: destination(), ...options });
        } catch (error) {
          console.log(error.name, error.code, error.errno, error instanceof heapray.HeaprayError, error.message);
        }
      };
      const to = (serverPort, address) => () => new SocketDestination({ serverPort, address });
      attempt(to(${port}));
      attempt(to(1, "192.0.2.1"));
      attempt(to(1, "no such address"));
      attempt(to(0));
      attempt(to(65536));
      attempt(to("5678"));
      attempt(to(5678, ""));
      attempt(to(5678), { followFork: true });
      attempt(to(5678), { fileFormat: FileFormat.AGGREGATED_ALLOCATIONS });`;
    const { stdout, ...ended } = node([folder.write("script.cjs", text)], { node: binary });
    expect(ended).toEqual({ status: 0, signal: null, stderr: "" });
    expect(stdout.trim().split("\n")).toEqual([
      `SocketListenError HEAPRAY_SOCKET_LISTEN EADDRINUSE true Cannot wait for a client on 127.0.0.1, port ${port}: another program listens there; choose another port (EADDRINUSE).`,
      "SocketListenError HEAPRAY_SOCKET_LISTEN EADDRNOTAVAIL true Cannot wait for a client on 192.0.2.1, port 1: this machine does not have that address (EADDRNOTAVAIL).",
      expect.stringMatching(
        /^SocketListenError HEAPRAY_SOCKET_LISTEN EAI_\w+ true Cannot wait for a client on no such address, port 1: /u,
      ),
      "RangeError undefined undefined false serverPort is a whole number from 1 to 65535, not 0.",
      "RangeError undefined undefined false serverPort is a whole number from 1 to 65535, not 65536.",
      "TypeError undefined undefined false SocketDestination needs a port: new SocketDestination({ serverPort: 5678 }).",
      "TypeError undefined undefined false SocketDestination's address is an address of this machine, like 127.0.0.1.",
      "TypeError undefined undefined false followFork needs a file: a client reads one process's records.",
      "TypeError undefined undefined false FileFormat.AGGREGATED_ALLOCATIONS needs a file: it is written when tracking ends.",
    ]);
  });
});

describe("the command line", () => {
  test("refuses what does not go with a client", async () => {
    const server = createServer();
    closing.push(() => server.close());
    await new Promise((resolve) => server.listen(port, "127.0.0.1", () => resolve(undefined)));
    const refused = (...options: string[]) => {
      const ended = heapray(["run", ...options, TOLD], { cwd: folder.path });
      expect(ended).toMatchObject({ status: 1, stdout: "" });
      return ended.stderr;
    };
    for (const options of [["-o", "a.bin"], ["--aggregate"], ["--follow-fork"], ["--buffered-file-io"]]) {
      expect(refused("--live-remote", ...options)).toMatch(
        /^heapray: --[a-z-]+ does not go with --live-remote, which writes no file\.\n$/u,
      );
    }
    expect(refused("--live-port", "5678")).toBe("heapray: --live-port goes with --live and --live-remote only.\n");
    expect(refused("--live-remote", "--live-port", "65536")).toMatch(/^heapray: [^\n]*from 1 to 65535[^\n]*\n$/u);
    expect(refused("--live-remote", "--live-port", String(port))).toBe(
      `heapray: the program cannot wait for a client on port ${port}: another program uses it; give another --live-port.\n`,
    );
    expect(readdirSync(folder.path)).toEqual([]);
  });

  test("looks whether the port is free without answering those who wait for the program", async () => {
    let connections = 0;
    const connecting = setInterval(() => {
      const socket = connect({ port, host: "127.0.0.1" }, () => connections++);
      closing.push(() => socket.destroy());
      socket.on("error", () => {});
    }, 1);
    closing.push(() => clearInterval(connecting));
    for (let i = 0; i < 100; i++) expect(await livePort(port)).toBe(port);
    expect(connections).toBe(0);
  });

  test("finds a free port", async () => {
    const told = start(process.execPath, [cliPath, "run", "--live-remote", TOLD]);
    await until(() => /port \d+;/u.test(told.stderr));
    const reader = new SocketReader({ port: Number(/port (\d+);/u.exec(told.stderr)?.[1]) });
    closing.push(() => reader.close());
    await reader.connect(SOON);
    expect(reader.commandLine[1]).toBe(TOLD);
  });
});

describe("a reader", () => {
  /** A server that sends this to whoever connects, a piece after the other, and ends the connection. */
  async function serve(...pieces: Uint8Array[]): Promise<void> {
    const server = createServer(async (socket) => {
      for (const piece of pieces) {
        socket.write(piece);
        await sleep(50);
      }
      socket.end();
    });
    closing.push(() => server.close());
    await new Promise((resolve) => server.listen(port, "127.0.0.1", () => resolve(undefined)));
  }

  test.each([
    [
      "nothing",
      new Uint8Array(0),
      "CONNECTION: Cannot read from WHERE: it ended the connection at once: it has a client already, or has ended.",
    ],
    [
      "a part of a header",
      new CaptureWriter().finish().slice(0, 40),
      "CONNECTION: Cannot read from WHERE: it ended the connection at once",
    ],
    [
      "something else",
      Buffer.from("HTTP/1.1 400 Bad Request"),
      "NOT_A_CAPTURE: What listens at WHERE is not a program that heapray tracks.",
    ],
    ["a later format", new CaptureWriter(undefined, 99).finish(), "NEWER_VERSION: WHERE has capture format 99"],
  ])("that is sent %s says so", async (_, bytes, sentence) => {
    await serve(bytes);
    const reader = new SocketReader({ port });
    const error = await codeOf(() => reader.connect());
    expect(error.replaceAll(`127.0.0.1:${port}`, "WHERE")).toMatch(`CaptureError ${sentence}`);
    expect(reader.isActive).toBe(false);
  });

  test("keeps what came before the damage", async () => {
    const good = new CaptureWriter().malloc(0, 10, 0x1000).snapshot(5, 6);
    await serve(good.finish(), Uint8Array.of(0x0e, 99, 0x0e, 1));
    const reader = new SocketReader({ port });
    await reader.connect();
    expect(await codeOf(() => reader.untilEnd())).toBe(
      `CaptureError CORRUPT: What came from 127.0.0.1:${port} is damaged at byte ${good.length}. Run the program again.`,
    );
    expect([reader.isActive, reader.currentMemory, reader.end]).toEqual([false, 10, undefined]);
  });

  test("is to be connected before it is asked, and once", async () => {
    const reader = new SocketReader({ port });
    expect(reader.isActive).toBe(false);
    for (const ask of [() => reader.pid, () => reader.getCurrentSnapshot(), () => reader.untilEnd()]) {
      expect(await codeOf(ask)).toMatch(
        /CONNECTION: Cannot read from .*: it is not connected; await connect\(\) first\.$/u,
      );
    }
    await serve(new CaptureWriter().finish());
    await reader.connect();
    expect(await codeOf(() => reader.connect())).toMatch(/CONNECTION: .* was connected before; make a new one\.$/u);
    expect(await codeOf(() => new SocketReader({ port: 0 }))).toMatch(/^TypeError .* from 1 to 65535, not 0\.$/u);
  });

  test("tries again for as long as it is told", async () => {
    const start = Date.now();
    expect(await codeOf(() => new SocketReader({ port }).connect({ timeoutMs: 400 }))).toMatch("no program waits");
    expect(Date.now() - start).toBeGreaterThanOrEqual(300);
    const reader = new SocketReader({ port });
    const connecting = reader.connect(SOON);
    await sleep(150);
    await serve(new CaptureWriter().finish());
    await connecting;
    expect(reader.pid).toBe(4711);
  });
});
