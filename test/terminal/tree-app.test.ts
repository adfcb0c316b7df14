import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { CaptureWriter } from "../support/capture-writer.js";
import { cliPath, type Folder, temporaryFolder } from "../support/heapray.js";
import { Key, PseudoTerminal, type PseudoTerminalOptions } from "../support/pseudo-terminal.js";

const SOURCE = `// What the program does.
export function load(n: number): Buffer {
  const text = "loaded"; // not much
  return Buffer.alloc(n);
}
`;

let folder: Folder;
let terminal: PseudoTerminal | undefined;
beforeEach(() => {
  folder = temporaryFolder();
  const source = folder.write("load.ts", SOURCE);
  const writer = new CaptureWriter();
  const main = `main@${folder.join("app.ts")}:1`;
  const loader = "wrapModuleLoad@node:internal/modules/cjs/loader:261";
  const start = "executeUserEntryPoint@node:internal/modules/run_main:159";
  writer
    .malloc(writer.stack(start, main, `load@${source}:4`), 6000, 4096)
    .malloc(writer.stack(start, main, "読込\u001b[2J@/srv/ü/大きな.ts:9"), 3000, 8192)
    .malloc(writer.stack(start, main, loader, "<module>@/srv/late.ts:2"), 1000, 12_288);
  const deep = Array.from({ length: 200 }, (_, i) => `level${i}@/srv/deep.ts:${i + 1}`);
  folder.write("a.bin", writer.malloc(writer.stack(...deep), 500, 16_384).finish());
});
afterEach(() => {
  terminal?.close();
  terminal = undefined;
  folder.remove();
});

function start(options: Partial<PseudoTerminalOptions> = {}, ...args: string[]): PseudoTerminal {
  const size = { columns: 120, rows: 30, cwd: folder.path, ...options };
  terminal = new PseudoTerminal([process.execPath, cliPath, "tree", ...args, "a.bin"], size);
  return terminal;
}

describe("the tree in a terminal", () => {
  test("shows the largest way through it, and goes where keys tell", async () => {
    const shown = start();
    await shown.shows("Show uninteresting");
    expect(shown.isFullScreen).toBe(true);
    expect(shown.lines.slice(0, 6).map((line) => line.replace(/\s*│?$/, ""))).toEqual([
      " heapray tree  a.bin  held at the peak",
      "▾ 10.500kB (100.00 %) <ROOT>",
      "├ ▾ 10.000kB (95.24 %) main  app.ts:1",
      "│ ├ • 6.000kB (57.14 %) load  load.ts:4",
      "│ ├ • 3.000kB (28.57 %) 読込  /srv/ü/大きな.ts:9",
      "│ └ • 1.000kB (9.52 %) <module>  /srv/late.ts:2",
    ]);
    shown.type(Key.DOWN.repeat(2));
    await shown.shows(/Function {4}load$/m);
    // The selected frame's source, around its line.
    expect(shown.text).toMatch(/2 export function load\(n: number\): Buffer \{/);
    expect(shown.text).toMatch(/4 {3}return Buffer\.alloc\(n\);/);
    expect(shown.text).toMatch(/Location {4}load\.ts:4/);
    expect(shown.text).toMatch(/Size {8}6\.000kB of 10\.500kB/);
    shown.type(Key.LEFT + Key.LEFT);
    await shown.shows("├ ▸ 10.000kB (95.24 %) main");
    shown.type(Key.RIGHT);
    await shown.shows("├ ▾ 10.000kB (95.24 %) main");
    shown.type(" ");
    await shown.shows("├ ▸ 10.000kB (95.24 %) main");
    shown.type(Key.ENTER);
    await shown.shows("├ ▾ 10.000kB (95.24 %) main");
    shown.type("q");
    expect(await shown.ended()).toEqual({ status: 0, restored: true });
    expect(shown.isFullScreen).toBe(false);
  });

  test("i hides what modules were loaded for, u shows what only calls others", async () => {
    const shown = start();
    await shown.shows("<module>  /srv/late.ts:2");
    shown.type("i");
    await shown.shows("i Show import system");
    expect(shown.text).not.toContain("late.ts");
    // What starts the program is no import.
    expect(shown.text).toContain("main  app.ts:1");
    shown.type("u");
    await shown.shows("executeUserEntryPoint  node:internal/modules/run");
    expect(shown.text).not.toContain("wrapModuleLoad");
    shown.type("i");
    await shown.shows("wrapModuleLoad");
    shown.type("u");
    await shown.shows("u Show uninteresting");
    expect(shown.text).not.toContain("node:internal");
  });

  test("e expands down to where there is more than one way, 200 frames deep", async () => {
    const shown = start({ columns: 60, rows: 10 });
    await shown.shows("▾ 10.500kB (100.00 %) <ROOT>");
    // The last one below the root, whose way down is a single one.
    shown.type("\u001b[F");
    await shown.shows("└ ▸ 500.000B (4.76 %) level0");
    shown.type(`e${"\u001b[F"}`);
    await shown.shows("500.000B (4.76 %) level199");
    shown.type(`\u001b[H${"e"}`);
    await shown.shows(/^▸ 10\.500kB/m);
  });

  test.each([
    [120, 30],
    [60, 24],
    [40, 10],
    [20, 5],
    [3, 2],
    [1, 1],
    [250, 70],
  ])("fits into %d columns and %d rows", async (columns, rows) => {
    const shown = start();
    await shown.shows("Show uninteresting");
    shown.resize(columns, rows);
    shown.type(Key.DOWN);
    // The selected row, and the keys below it where there is room.
    await shown.shows(columns < 20 ? /^./ : /^├ ▾ 10\.000kB/m);
    if (rows > 2 && columns > 3) await shown.shows(/\n q Quit {2}i Hide im.*$/);
    shown.type("q");
    expect(await shown.ended()).toEqual({ status: 0, restored: true });
  });

  test("? explains the keys", async () => {
    const shown = start({ columns: 60, rows: 14 });
    await shown.shows("▾ 10.500kB");
    shown.type("?");
    await shown.shows("collapse, or go to the caller");
    shown.type("?");
    await shown.shows("▾ 10.500kB");
  });

  test("what is below the threshold is told in a line of its own", async () => {
    const shown = start({}, "-b", "2");
    await shown.shows("└ ? 1.500kB (14.29 %) 2 allocations from 2 locations below");
    shown.type("\u001b[F");
    await shown.shows("larger --biggest-allocs shows more of them.");
  });
});

describe("the terminal is as it was before", () => {
  test.each([
    ["Ctrl-C", 130, (shown: PseudoTerminal) => shown.type(Key.CTRL_C)],
    ["SIGTERM", 143, (shown: PseudoTerminal) => process.kill(shown.pid, "SIGTERM")],
    ["SIGHUP", 129, (shown: PseudoTerminal) => process.kill(shown.pid, "SIGHUP")],
  ])("after %s, and the exit code is %d", async (_, status, end) => {
    const shown = start();
    await shown.shows("Show uninteresting");
    end(shown);
    expect(await shown.ended()).toEqual({ status, restored: true });
    expect(shown.isFullScreen).toBe(false);
    expect(shown.output.lastIndexOf("\u001b[?25h")).toBeGreaterThan(shown.output.lastIndexOf("\u001b[?25l"));
  });

  test("while it is stopped, and it is drawn anew when it goes on", async () => {
    const shown = start();
    await shown.shows("Show uninteresting");
    shown.resize(100, 20);
    process.kill(shown.pid, "SIGCONT");
    await shown.shows("Show uninteresting");
    shown.type("q");
    expect(await shown.ended()).toEqual({ status: 0, restored: true });
  });

  test("where Ctrl-Z stops nothing, since nobody could continue it, the tree comes back", async () => {
    const shown = start();
    await shown.shows("Show uninteresting");
    shown.type(Key.CTRL_Z);
    await expect.poll(() => shown.output.split("\u001b[?1049h").length, { timeout: 10_000 }).toBe(3);
    await shown.shows("Show uninteresting");
    shown.type("q");
    expect(await shown.ended()).toEqual({ status: 0, restored: true });
  });
});

describe("colours", () => {
  test("are there by the share", async () => {
    const shown = start();
    await shown.shows("Show uninteresting");
    shown.type("q");
    await shown.ended();
    expect(shown.output).toContain("\u001b[38;5;167m10.500kB");
    expect(shown.output).toContain("\u001b[38;5;70m500.000B");
  });

  test("are not where NO_COLOR is set", async () => {
    const shown = start({ env: { NO_COLOR: "1" } });
    await shown.shows("Show uninteresting");
    shown.type("q");
    await shown.ended();
    expect(shown.output).not.toContain("\u001b[38;5;");
  });

  test("nor anything else where the terminal can do nothing", async () => {
    const shown = start({ env: { TERM: "dumb" } });
    expect(await shown.ended()).toEqual({ status: 0, restored: true });
    expect(shown.output).not.toContain("\u001b");
    expect(shown.output).toContain("├─ 10.000kB (95.24 %) main  app.ts:1\r\n");
  });
});
