import { readdirSync, readFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { AllocatorType } from "../../src/capture/wire.js";
import { CaptureWriter, HEADER } from "../support/capture-writer.js";
import { cliPath, type Folder, heapray, root, temporaryFolder } from "../support/heapray.js";
import { Key, PseudoTerminal, type PseudoTerminalOptions } from "../support/pseudo-terminal.js";
import { pythonCapture } from "../support/python-capture.js";
import { freePort, Running, until } from "../support/running.js";

const TOLD = `${root}/test/tracking/programs/told.cjs`;
const FLOOD = `${root}/bench/live/flood.cjs`;
const END = "\u001b[F";

let folder: Folder;
let port: number;
let terminal: PseudoTerminal | undefined;
const closing: (() => unknown)[] = [];
beforeEach(async () => {
  folder = temporaryFolder();
  port = await freePort();
});
afterEach(async () => {
  terminal?.close();
  terminal = undefined;
  for (const close of closing.splice(0)) await close();
  folder.remove();
});

function inTerminal(args: readonly string[], options: Partial<PseudoTerminalOptions> = {}): PseudoTerminal {
  const size = { columns: 110, rows: 30, cwd: folder.path, ...options };
  terminal = new PseudoTerminal([process.execPath, cliPath, ...args], size);
  return terminal;
}

const watch = (options?: Partial<PseudoTerminalOptions>) => inTerminal(["live", String(port)], options);

/** A program that waits for a client, and then does what it is told. */
function startTold(...options: string[]): Running {
  const told = new Running(
    process.execPath,
    [cliPath, "run", "-q", "--live-remote", "--live-port", String(port), ...options, TOLD],
    folder.path,
  );
  closing.push(async () => {
    told.kill("SIGKILL");
    await told.ended;
  });
  return told;
}

/** In place of a program: sends what it is given to the first client. */
async function serve(writer: CaptureWriter): Promise<{ send(): void; end(): void }> {
  let client: Socket | undefined;
  let sent = 0;
  const send = (): void => {
    client?.write(writer.finish().slice(sent));
    sent = writer.length;
  };
  const server = createServer((socket) => {
    client = socket.on("error", () => {});
    closing.push(() => socket.destroy());
    send();
  });
  closing.push(() => server.close());
  await new Promise((resolve) => server.listen(port, "127.0.0.1", () => resolve(undefined)));
  return { send, end: () => client?.end() };
}

/** Three threads, and functions that hold memory of each kind. */
function sample(header: object = HEADER): CaptureWriter {
  const writer = new CaptureWriter(header).thread(1, 4711, "MainThread").thread(2, 4712, "WorkerThread");
  const main = "main@/srv/app/main.ts:1";
  writer
    .switchTo(1)
    .malloc(writer.stack(main, "load@/srv/app/src/load.ts:4"), 6000, 4096)
    .malloc(writer.stack(main, "読込\u001b[2J@/srv/ü/大きな.ts:9"), 3000, 16_384)
    .mmap(writer.stack(main, "map@/srv/app/map.ts:2"), 8192, 0x10_0000)
    .allocation(AllocatorType.HEAP_PAGES, 0, 262_144, 0x20_0000)
    .snapshot(10, 50_000_000, 4_000_000)
    .switchTo(2);
  for (let i = 0; i < 3; i++) writer.malloc(writer.stack("work@/srv/app/work.ts:7"), 100, 0x30_0000 + i * 4096);
  return writer.snapshot(500, 60_000_000, 4_000_000);
}

/** The table's rows: what they are of, and their figures. */
function tableOf(shown: PseudoTerminal): string[] {
  const head = shown.lines.findIndex((line) => line.startsWith(" Location"));
  return shown.lines
    .slice(head + 1, -1)
    .filter((line) => line.trim() !== "")
    .map((line) => line.trim().replace(/ {2,}/g, "  "));
}

describe("a running program's memory in a terminal", () => {
  test("is told in figures, a chart and a table", async () => {
    await serve(sample());
    const shown = watch();
    await shown.shows(/ work /u);
    expect(shown.isFullScreen).toBe(true);
    expect(shown.lines[0]).toMatch(/^ heapray live {2}pid 4711 {2}node app\.js --fast .* s$/u);
    expect(shown.lines[1]).toMatch(
      /^ Heap 279\.636kB {2}Peak 279\.636kB {2}RSS 60\.000MB {2}Allocations 7 {2}Per second \d+$/u,
    );
    expect(shown.lines[2]).toMatch(/^ {2}60\.000MB .*[\u2801-\u28ff]/u);
    expect(shown.text).toContain(" All 2 threads, merged  all memory\n");
    expect(shown.text).toMatch(/ Location +Total +% +Own ▼ +% +Allocations\n/u);
    expect(tableOf(shown)).toEqual([
      "thread MainThread, no JavaScript  262.144kB  93.7%  262.144kB  93.7%  1",
      "map  map.ts  8.192kB  2.9%  8.192kB  2.9%  1",
      "load  src/load.ts  6.000kB  2.1%  6.000kB  2.1%  1",
      "読込  /srv/ü/大きな.ts  3.000kB  1.1%  3.000kB  1.1%  1",
      "work  work.ts  300.000B  0.1%  300.000B  0.1%  3",
      "main  main.ts  17.192kB  6.1%  0  3",
    ]);
  });

  test("of Python is told in Python's words, with its own allocator as a kind", async () => {
    await serve(pythonCapture({ pymalloc: true }));
    const shown = watch();
    await shown.shows(/ worker\.<locals>\.<lambda> /u);
    expect(shown.lines[0]).toMatch(/^ heapray live {2}pid 4711 {2}python3 -X dev app\.py --fast/u);
    const names = () => tableOf(shown).map((row) => row.split("  ")[0]);
    expect(names()).toContain("thread loader, no Python");
    shown.type("?");
    await shown.shows(/malloc's, mappings, or what Python's own allocator gave/u);
    expect(shown.text).toContain("or had packages and Python's library allocate");
    shown.type(" ");
    await shown.shows(/ Location /u);
    for (const [kind, row] of [
      [/malloc only/u, "thread loader, no Python"],
      [/mappings only/u, "Nothing is held."],
      [/Python's own allocator only/u, "Store.load"],
    ] as const) {
      shown.type("k");
      await shown.shows(kind);
      await until(() => names().includes(row));
    }
    expect(names()).not.toContain("thread loader, no Python");
  });

  test("is sorted, filtered, and shown by thread and by kind", async () => {
    await serve(sample());
    const shown = watch();
    await shown.shows(/ work /u);
    const names = () => tableOf(shown).map((row) => row.split("  ")[0]);
    // The screen may be seen while it is drawn.
    const become = (...wanted: string[]) => until(() => names().join() === wanted.join());
    const [engine, all] = ["thread MainThread, no JavaScript", ["main", "map", "load", "読込", "work"]];
    await become(engine, "map", "load", "読込", "work", "main");
    shown.type("a");
    await shown.shows("Allocations ▼");
    await become("main", "work", engine, "map", "load", "読込");
    shown.type("a");
    await shown.shows("Allocations ▲");
    await become(engine, "map", "load", "読込", "main", "work");
    shown.type("o");
    await shown.shows("Own ▼");
    await become(engine, "map", "load", "読込", "work", "main");
    shown.type("t");
    await shown.shows("Total ▼");
    await become(engine, ...all);

    shown.type("/AP");
    await shown.shows("/AP▏");
    await become("map");
    shown.type("\u007f\u007fq.ts");
    await shown.shows("Nothing that is held matches the filter.");
    shown.type("\u001b");
    await become(engine, ...all);
    shown.type("/load\r");
    await shown.shows(/ {2}\/load\n/u);
    await become("load");
    shown.type("\u001b");
    await become(engine, ...all);

    shown.type("m");
    await shown.shows("Thread 1 of 2: MainThread, tid 4711");
    await become(engine, "main", "map", "load", "読込");
    shown.type(">");
    await shown.shows("Thread 2 of 2: WorkerThread, tid 4712");
    await become("work");
    shown.type(Key.RIGHT);
    await shown.shows("Thread 1 of 2");
    shown.type(Key.LEFT);
    await shown.shows("Thread 2 of 2");
    shown.type("<m");
    await shown.shows("All 2 threads, merged");

    for (const [kind, expected] of [
      ["malloc only", ["main", "load", "読込", "work"]],
      ["mappings only", ["map", "main"]],
      ["JavaScript heap pages only", [engine]],
    ] as const) {
      shown.type("k");
      await shown.shows(kind);
      await become(...expected);
    }
    shown.type("k");
    await shown.shows("all memory");
  });

  test("keeps the selected row selected, wherever it goes", async () => {
    const writer = sample();
    const { send } = await serve(writer);
    const shown = watch();
    await shown.shows(/ work /u);
    shown.type(END);
    writer.switchTo(1).malloc(writer.stack("late@/srv/app/late.ts:1"), 50, 0x40_0000);
    send();
    await shown.shows(/ late /u);
    shown.type("/work");
    await shown.shows("/work▏");
    writer.malloc(writer.stack("work@/srv/app/work.ts:7"), 1e6, 0x50_0000);
    send();
    shown.type("\u001b");
    await until(() => tableOf(shown)[0]?.startsWith("work  work.ts  1.000MB") === true);
    // In a table of two rows, the one that is shown is the selected one's.
    shown.type(Key.DOWN);
    shown.resize(110, 10);
    await shown.shows(/\n thread MainThread/u);
  });

  test("stands still while it is paused, and reading goes on", async () => {
    const writer = sample();
    const { send } = await serve(writer);
    const shown = watch();
    await shown.shows(/ work /u);
    shown.type("p");
    await shown.shows("PAUSED");
    await sleep(300);
    writer.switchTo(1).malloc(writer.stack("late@/srv/app/late.ts:1"), 1e6, 0x40_0000).snapshot(900, 70_000_000);
    send();
    const before = shown.text;
    await sleep(700);
    expect(shown.text).toBe(before);
    expect(before).toMatch(/\n work /u);
    // What is asked for meanwhile is of the same moment.
    shown.type("m");
    await shown.shows("Thread 1 of 2");
    expect(shown.text).not.toContain("late");
    shown.type("ms");
    await shown.shows("Saved heapray-flamegraph-app.js.4711.html");
    shown.type(" ");
    await shown.shows(/late {2}late\.ts +1\.000MB/u);
    expect(shown.text).not.toContain("PAUSED");
    await shown.shows("RSS 70.000MB");
  });

  test.each([
    [110, 30],
    [80, 24],
    [60, 16],
    [40, 12],
    [30, 8],
    [20, 5],
    [3, 2],
    [1, 1],
    [250, 70],
  ])("fits into %d columns and %d rows", async (columns, rows) => {
    await serve(sample());
    const shown = watch();
    await shown.shows(/ work /u);
    shown.resize(columns, rows);
    shown.type("t");
    if (rows > 2 && columns > 10) await shown.shows(/\n q Quit {2}\? He[^\n]*$/u);
    if (columns >= 30 && rows >= 8) {
      await shown.shows("Total ▼");
      await shown.shows(/map[^\n]* 8\.192kB/u);
    }
    shown.type("q");
    expect(await shown.ended()).toEqual({ status: 0, restored: true });
  });

  test("? explains the keys", async () => {
    await serve(sample());
    const shown = watch({ columns: 80, rows: 20 });
    await shown.shows(/ work /u);
    shown.type("?");
    await shown.shows("quit; the program goes on, and is tracked no longer");
    shown.type("?");
    await shown.shows(/ work /u);
  });

  test("has colours, and none where NO_COLOR is set", async () => {
    for (const [env, has] of [
      [{}, true],
      [{ NO_COLOR: "1" }, false],
    ] as const) {
      port = await freePort();
      await serve(sample());
      const shown = watch({ env });
      await shown.shows(/ work /u);
      shown.type("q");
      await shown.ended();
      expect(shown.output.includes("\u001b[38;5;")).toBe(has);
      shown.close();
    }
  });
});

describe("the end", () => {
  test.each([
    [
      "as it was told: an exit",
      (writer: CaptureWriter) => writer.trailer(1),
      4711,
      "Remote has disconnected: the program ended.",
    ],
    [
      "as it was told: a stop",
      (writer: CaptureWriter) => writer.trailer(1, "stop"),
      4711,
      "Remote has disconnected: tracking was stopped, and the program goes on.",
    ],
    [
      "of a program that is gone without a word",
      () => {},
      2 ** 22 + 1,
      "Remote has disconnected: the program was killed.",
    ],
    [
      "of a program that was faster than the reader",
      () => {},
      process.pid,
      "Remote has disconnected: the program allocates faster than this can be read; it gave up sending",
    ],
    [
      "of what is damaged",
      (writer: CaptureWriter) => writer.raw(0x0e, 99),
      4711,
      "Remote has disconnected: What came from 127.0.0.1",
    ],
  ])("is told %s, and all can be browsed and saved", async (_, last, pid, sentence) => {
    const writer = sample({ ...HEADER, pid });
    const { send, end } = await serve(writer);
    const shown = watch();
    await shown.shows(/ work /u);
    last(writer);
    send();
    end();
    await shown.shows(sentence);
    shown.type("/load");
    await shown.shows("/load▏");
    expect(tableOf(shown)[0]).toMatch(/^load {2}src\/load\.ts/u);
    shown.type("\rs");
    await shown.shows(`Saved heapray-flamegraph-app.js.${pid}.html`);
    expect(shown.text).toContain(sentence);
    shown.type("q");
    expect(await shown.ended()).toEqual({ status: 0, restored: true });
    expect(readFileSync(folder.join(`heapray-flamegraph-app.js.${pid}.html`), "utf8")).toContain(
      "<title>app.js · live memory · heapray</title>",
    );
  });
});

describe("a real program", () => {
  test("is watched as it allocates, saved twice, and goes on untracked after q", async () => {
    const told = startTold();
    const shown = watch();
    await told.says("pid");
    await shown.shows("told.cjs");
    told.tell("hold");
    await shown.shows(/\n hold {2}\S*told\.cjs +1\.00\dMB/u);
    shown.type("s");
    await shown.shows(/Saved heapray-flamegraph-told\.cjs\.\d+\.html/u);
    shown.type("s");
    await shown.shows(/Saved heapray-flamegraph-told\.cjs\.\d+\.2\.html/u);
    told.tell("free");
    await until(() => !/\n hold /u.test(shown.text));
    shown.type("q");
    expect(await shown.ended()).toEqual({ status: 0, restored: true });
    expect(readdirSync(folder.path)).toHaveLength(2);
    told.tell("trickle");
    await until(() => told.stderr !== "");
    told.tell("end");
    expect(await told.ended).toMatchObject({ status: 0, signal: null });
    expect(told.stderr).toMatch(/^heapray: tracking stopped, the program goes on: /u);
  });

  test.each([
    ["SIGKILL", "Remote has disconnected: the program was killed."],
    ["SIGTERM", "Remote has disconnected: the program ended by SIGTERM."],
  ] as const)("that ends by %s is said to have", async (signal, sentence) => {
    const told = startTold();
    const shown = watch();
    await told.says("pid");
    told.tell("hold");
    await shown.shows(/\n hold {2}\S*told\.cjs +1\.00\dMB/u);
    process.kill(Number(/pid (\d+)/u.exec(told.stdout)?.[1]), signal);
    await shown.shows(sentence);
    expect(shown.text).toMatch(/\n hold {2}\S*told\.cjs +1\.00\dMB/u);
    await told.ended;
    shown.type(Key.CTRL_C);
    expect(await shown.ended()).toEqual({ status: 130, restored: true });
  });

  test("has the names of its native code", async () => {
    const told = startTold("--native");
    const shown = watch();
    await told.says("pid");
    told.tell("hold");
    await shown.shows(/ node::Start {2}/u);
    shown.type("/hold");
    await shown.shows(/\n hold {2}\S*told\.cjs +1\.00\dMB/u);
    expect(shown.text).not.toMatch(/behind/u);
  });

  test("is waited for, until Ctrl-C", async () => {
    const shown = watch();
    await shown.shows("waiting for one (Ctrl-C ends this)");
    const told = startTold();
    await shown.shows("told.cjs");
    await told.says("pid");
    shown.type("q");
    expect(await shown.ended()).toEqual({ status: 0, restored: true });
    shown.close();
    const other = inTerminal(["live", String(await freePort())]);
    await other.shows("waiting for one (Ctrl-C ends this)");
    // What the terminal makes of Ctrl-C, for this process alone.
    process.kill(other.pid, "SIGINT");
    expect(await other.ended()).toEqual({ status: 130, restored: true });
  });

  test("that is faster than the view, which was stopped, goes on untracked; the view says so", async () => {
    const told = startTold();
    const shown = watch();
    await told.says("pid");
    told.tell("hold");
    await shown.shows(/\n hold {2}\S*told\.cjs +1\.00\dMB/u);
    process.kill(shown.pid, "SIGSTOP");
    told.tell("flood");
    await told.says("flood done");
    process.kill(shown.pid, "SIGCONT");
    await shown.shows("the program allocates faster than this can be read; it gave up sending");
    shown.type("/hold");
    await shown.shows(/\n hold {2}\S*told\.cjs +1\.00\dMB/u);
    told.tell("end");
    expect(await told.ended).toMatchObject({ status: 0, signal: null });
    expect(told.stderr).toMatch(/reads too slowly\n$/u);
  });

  test("that sends a million records a second holds up neither the keys nor the figures", async () => {
    const flood = ["run", "-q", "--live-remote", "--live-port", String(port), FLOOD, "1e6", "7", "100000"];
    const flooding = new Running(process.execPath, [cliPath, ...flood], folder.path);
    closing.push(() => flooding.kill("SIGKILL"));
    const shown = watch();
    await shown.shows("flood.cjs 1e6");
    const durations = new Set<string>();
    let slowest = 0;
    // Five a second, where nothing else runs.
    for (const end = Date.now() + 5000; Date.now() < end && durations.size < 4; await sleep(10)) {
      durations.add(/([\d.]+) s\n/u.exec(shown.text)?.[1] ?? "");
    }
    for (let i = 0; i < 5; i++) {
      const pressed = Date.now();
      shown.type("?");
      await shown.shows("any key: back");
      slowest = Math.max(slowest, Date.now() - pressed);
      shown.type("?");
      await shown.shows("s Save");
    }
    expect(durations.size).toBe(4);
    // A key takes some 30 ms, but the machine may be busy with other tests.
    expect(slowest).toBeLessThan(1000);
    await shown.shows("Remote has disconnected: the program ended.");
    expect(await flooding.ended).toMatchObject({ status: 0, stderr: "" });
  });
});

describe("heapray run --live", () => {
  const CHATTY = `
    const kept = [];
    console.log("started", process.stdin.read(), process.stdout.isTTY);
    process.on("SIGTERM", () => { console.error("asked to end"); process.exit(process.argv[2] ? 5 : 0); });
    setTimeout(() => { if (process.argv[2] === "soon") { console.log("done"); process.exit(7); } }, 1500);
    setInterval(function fill() { kept.push(Buffer.alloc(50_000)); }, 20);`;
  const run = (...args: string[]) => inTerminal(["run", "--live", folder.write("chatty.cjs", CHATTY), ...args]);

  test("ends as the program ended, and prints what it printed", async () => {
    const shown = run("soon");
    await shown.shows(/^ heapray run --live {2}pid \d+ {2}node chatty\.cjs soon/u);
    await shown.shows("Remote has disconnected: the program ended with exit code 7.");
    expect(shown.text).not.toContain("started");
    shown.type("q");
    expect(await shown.ended()).toEqual({ status: 7, restored: true });
    expect(shown.text).toContain("started null undefined\ndone");
    expect(readdirSync(folder.path)).toEqual(["chatty.cjs"]);
  });

  test("ends the program when it is quit", async () => {
    const shown = run("later");
    await shown.shows(/\n fill {2}chatty\.cjs/u);
    shown.type("q");
    expect(await shown.ended()).toEqual({ status: 5, restored: true });
    expect(shown.text).toContain("started null undefined\nasked to end");
    shown.close();
    const quiet = inTerminal(["run", "--live", "-e", "setInterval(() => {}, 1000)"]);
    await quiet.shows("Own ▼");
    quiet.type("q");
    expect(await quiet.ended()).toEqual({ status: 0, restored: true });
  });

  test.each([
    ["Ctrl-C", 130, (shown: PseudoTerminal) => shown.type(Key.CTRL_C)],
    ["SIGTERM", 5, (shown: PseudoTerminal) => process.kill(shown.pid, "SIGTERM")],
  ])("passes %s on to the program", async (_, status, end) => {
    const shown = run("later");
    await shown.shows(/\n fill {2}chatty\.cjs/u);
    const pid = Number(/pid (\d+)/u.exec(shown.text)?.[1]);
    end(shown);
    expect(await shown.ended()).toEqual({ status, restored: true });
    expect(() => process.kill(pid, 0)).toThrow();
  });
});

describe("what cannot be shown is told in one sentence", () => {
  test("no terminal, no port, no program of heapray's", async () => {
    const refused = (...args: string[]) => {
      const ended = heapray(args, { cwd: folder.path });
      expect(ended).toMatchObject({ status: 1, stdout: "" });
      return ended.stderr;
    };
    const noTerminal =
      "heapray: the live view needs a terminal to draw on and to get keys from; --web shows it in a browser.\n";
    expect(refused("live", String(port))).toBe(noTerminal);
    expect(refused("run", "--live", TOLD)).toBe(noTerminal);
    expect(refused("live", "0")).toMatch(/^heapray: [^\n]*from 1 to 65535[^\n]*\n$/u);
    expect(refused("run", "--live", "-o", "a.bin", TOLD)).toBe(
      "heapray: --output does not go with --live, which writes no file.\n",
    );
    expect(refused("run", "--live", "--live-remote", TOLD)).toMatch(/^heapray: --live shows what [^\n]*\n$/u);
    expect(readdirSync(folder.path)).toEqual([]);
  });

  test("what else listens there", async () => {
    const server = createServer((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
    closing.push(() => server.close());
    await new Promise((resolve) => server.listen(port, "127.0.0.1", () => resolve(undefined)));
    const shown = watch();
    expect(await shown.ended()).toEqual({ status: 1, restored: true });
    expect(shown.text.trim()).toBe(`heapray: What listens at 127.0.0.1:${port} is not a program that heapray tracks.`);
  });
});
