import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { findPythons } from "../../scripts/pythons.mjs";
import { FileReader } from "../../src/analysis/file-reader.js";
import { type Program, Programs } from "../support/attaching.js";
import { cliPath, type Folder, heapray, temporaryFolder } from "../support/heapray.js";
import { PseudoTerminal } from "../support/pseudo-terminal.js";
import { withHeapray } from "../support/pythons.js";
import { until } from "../support/running.js";

const all = findPythons();
const attachable = all.find(({ name }) => name === "python3.14");
const others = all.filter((python) => python !== attachable);

const SIZE = 100_003;
const WORKS = `
import sys, threading, time
kept = []
def keep():
    kept.append(bytearray(${SIZE - 1}))
def keep_in_thread():
    while True:
        kept.append(bytearray(${SIZE - 1}))
        time.sleep(0.01)
threading.Thread(target=keep_in_thread, name="keeper", daemon=True).start()
print("ready", flush=True)
while True:
    keep()
    if len(kept) > 50:
        kept.clear()
    time.sleep(0.01)
`;

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
const heaprayHere = (...args: string[]) => heapray(args, { cwd: folder.path });

async function start(python: string, code: string, env: NodeJS.ProcessEnv = {}): Promise<Program> {
  const started = programs.start("env", [...Object.entries(env).map(([k, v]) => `${k}=${v}`), python, "-c", code], {
    cwd: folder.path,
  });
  await started.says("ready");
  return started;
}

function attach(pid: number, ...options: string[]): Program {
  return programs.start(process.execPath, [cliPath, "attach", String(pid), ...options], { cwd: folder.path });
}

/** Allocations of this size, by function. */
function madeBy(size: number): Record<string, number> {
  using reader = new FileReader(capture());
  const made: Record<string, number> = {};
  for (const record of reader.getAllocationRecords()) {
    if (record.size !== size) continue;
    const own = record.stackTrace().find(({ native }) => !native);
    made[own?.function ?? ""] = (made[own?.function ?? ""] ?? 0) + 1;
  }
  return made;
}

const foldersLeft = () => readdirSync(tmpdir()).filter((name) => name.startsWith("heapray-attach-"));

test.runIf(attachable === undefined)("a CPython 3.14 to attach to is there", () => {
  if (process.env.CI) throw new Error('there is none; run "npm run matrix:python".');
});

describe.runIf(attachable !== undefined)("a CPython 3.14", () => {
  let python = "";
  let before: string[] = [];
  beforeAll(() => {
    if (attachable !== undefined) python = withHeapray(attachable);
  }, 600_000);
  beforeEach(() => {
    before = foldersLeft();
  });

  test("is recorded to the function on all its threads, until attach is interrupted; twice", async () => {
    const program = await start(python, WORKS);
    for (const flags of [[], ["-f", "--native", "--trace-python-allocators"]]) {
      const attaching = attach(program.pid, "-o", capture(), ...flags);
      await attaching.says("is being tracked");
      expect(heaprayHere("attach", String(program.pid), "-o", "other.bin").stderr).toBe(
        `heapray: process ${program.pid} is being tracked already: stop that first, with heapray detach ${program.pid}.\n`,
      );
      attaching.kill("SIGINT");
      expect(await attaching.ended).toMatchObject({ status: 0 });
      expect(attaching.stderr).toContain("wrote capture.bin");
    }
    expect(Object.keys(madeBy(SIZE)).sort()).toEqual(["keep", "keep_in_thread"]);
    using reader = new FileReader(capture());
    expect(reader.metadata).toMatchObject({
      complete: true,
      pid: program.pid,
      hasNativeTraces: true,
      options: { tracePythonAllocators: true },
    });
    expect({ ended: program.hasEnded, said: program.stderr }).toEqual({ ended: false, said: "" });
    expect(foldersLeft()).toEqual(before);
  });

  test("is let go of after a duration, and by detach", async () => {
    const program = await start(python, WORKS);
    expect(heaprayHere("attach", "-q", String(program.pid), "-o", capture(), "--duration", "0.5")).toEqual({
      status: 0,
      signal: null,
      stdout: "",
      stderr: "",
    });
    expect(madeBy(SIZE).keep).toBeGreaterThan(5);
    const detach = () => heaprayHere("detach", String(program.pid)).stderr;
    expect(detach()).toBe(`heapray: process ${program.pid} is not being tracked by heapray attach.\n`);
    const attaching = attach(program.pid, "-f", "-o", capture());
    await attaching.says("is being tracked");
    expect(detach()).toBe(`[heapray] process ${program.pid} is not tracked any more.\n`);
    expect(await attaching.ended).toMatchObject({ status: 0 });
    using reader = new FileReader(capture());
    expect(reader.metadata.complete).toBe(true);
  });

  test("that ends while it is recorded leaves a complete capture", async () => {
    const program = await start(
      python,
      WORKS.replace("while True:\n    keep()", "import os\nwhile not os.path.exists('end'):\n    keep()"),
    );
    const attaching = attach(program.pid, "-o", capture(), "--aggregate");
    await attaching.says("is being tracked");
    folder.write("end", "");
    await attaching.says("wrote capture.bin");
    expect(await attaching.ended).toMatchObject({ status: 0 });
    using reader = new FileReader(capture());
    expect(reader.metadata).toMatchObject({ complete: true, options: { fileFormat: "AGGREGATED_ALLOCATIONS" } });
  });

  test("is shown live, until q", async () => {
    const program = await start(python, WORKS);
    const command = [process.execPath, cliPath, "attach", String(program.pid)];
    const terminal = new PseudoTerminal(command, { columns: 110, rows: 30, cwd: folder.path });
    try {
      await terminal.shows(`pid ${program.pid}`);
      await terminal.shows(/keep_in_thread {2}<string> +\d+\.\d+[kM]B/);
      terminal.type("q");
      expect(await terminal.ended()).toEqual({ status: 0, restored: true });
    } finally {
      terminal.close();
    }
    expect(heaprayHere("detach", String(program.pid)).stderr).toContain("is not being tracked by heapray attach.");
    expect({ ended: program.hasEnded, said: program.stderr }).toEqual({ ended: false, said: "" });
  });

  test("cannot write where it may not, is told of what is not for it, and of another's heapray", async () => {
    const program = await start(python, WORKS);
    const refused = (...options: string[]) => heaprayHere("attach", String(program.pid), ...options).stderr;
    expect(refused("-o", capture(), "--trace-js-heap")).toBe(
      "heapray: --trace-js-heap does not go with a process that runs Python.\n",
    );
    const without = await start(attachable?.path ?? "", WORKS);
    expect(heaprayHere("attach", String(without.pid), "-o", capture()).stderr).toMatch(
      /^heapray: process \d+ runs a Python that does not have heapray: run ".*python3\.14 -m pip install .*\/python", and try again\.\n$/,
    );
    expect(readdirSync(folder.path)).toEqual([]);
  });

  test("without remote debugging is told of", async () => {
    const program = await start(python, WORKS, { PYTHON_DISABLE_REMOTE_DEBUG: "1" });
    expect(heaprayHere("attach", String(program.pid), "-o", capture()).stderr).toMatch(
      /^heapray: process \d+ was started without remote debugging [^\n]*\.\n$/,
    );
    expect(foldersLeft()).toEqual(before);
  });

  test("that waits is not held up: what was asked for is dropped, and nothing happens when it goes on", async () => {
    const program = await start(
      python,
      "import sys\nprint('ready', flush=True)\nfor line in sys.stdin:\n    print('got', line, flush=True)\n",
    );
    const attaching = attach(program.pid, "-o", capture());
    await until(() => foldersLeft().length > before.length);
    attaching.kill("SIGINT");
    expect(await attaching.ended).toMatchObject({ status: 1 });
    expect(attaching.stderr).toBe("heapray: interrupted: nothing is tracked.\n");
    program.tell("on");
    await program.says("got on");
    await until(() => foldersLeft().length === before.length);
    expect(heaprayHere("detach", String(program.pid)).stderr).toContain("is not being tracked");
    expect({ said: program.stderr, files: readdirSync(folder.path) }).toEqual({ said: "", files: [] });
  });
});

describe.runIf(others.length > 0)("an older CPython", () => {
  test.each(others)("$name is told of in a sentence", async ({ name, path }) => {
    const program = await start(path, "import time; print('ready', flush=True); time.sleep(60)");
    const { status, stderr } = heaprayHere("attach", String(program.pid), "-o", capture());
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: `heapray: process ${program.pid} runs C${name.replace("python", "Python ")}, which cannot be attached to (3.14 can): start the program with heapray run, or use heapray's Tracker in it.\n`,
    });
  });
});

test("what runs neither is told of", async () => {
  const program = programs.start("sleep", ["60"]);
  await until(() => program.pid > 0);
  expect(heaprayHere("attach", String(program.pid)).stderr).toMatch(
    /is not a Node\.js or Python process: it runs \S*sleep\.\n$|needs a terminal/,
  );
  expect(heaprayHere("attach", String(program.pid), "-o", capture()).stderr).toMatch(
    /^heapray: process \d+ is not a Node\.js or Python process: it runs \S+\.\n$/,
  );
});
