import { describe, expect, test } from "vitest";
import { answeringFrame, answeringModule } from "../../src/analysis/answering-frame.js";
import type { CaptureReader } from "../../src/analysis/capture-reader.js";
import { originOf } from "../../src/analysis/frame-origin.js";
import { isInterpreter, isLoader, isMachinery } from "../../src/analysis/frame-roles.js";
import { LiveCapture } from "../../src/analysis/live-capture.js";
import { CaptureWriter } from "../support/capture-writer.js";
import { readerOf } from "../support/memory-reader.js";
import { PYTHON_HEADER, PYTHON_STACKS, pythonCapture, RUNNER } from "../support/python-capture.js";

describe("whose code a frame is", () => {
  test.each([
    ["/srv/app/app.py", "program"],
    ["app.py", "program"],
    ["<string>", "program"],
    ["<stdin>", "program"],
    ["/srv/app/lib/python/app.py", "program"],
    ["/srv/heapray/app.py", "program"],
    ["/srv/app/.venv/lib/python3.13/site-packages/requests/api.py", "dependency"],
    ["/usr/lib/python3/dist-packages/six.py", "dependency"],
    ["/home/ada/.local/lib/python3.9/site-packages/six.py", "dependency"],
    ["/usr/lib/python3.13/json/__init__.py", "internal"],
    ["/opt/python/lib/python3.14t/asyncio/base_events.py", "internal"],
    ["/usr/lib64/python3.9/abc.py", "internal"],
    ["/usr/lib/python313.zip/abc.py", "internal"],
    ["<frozen importlib._bootstrap>", "internal"],
    ["/srv/venv/lib/python3.13/site-packages/heapray/_tracker.py", "internal"],
    ["/home/me/checkout/python/heapray/_tracker.py", "internal"],
    ["/home/me/checkout/python/launch/preload/sitecustomize.py", "internal"],
    ["/srv/venv/lib/python3.13/site-packages/numpy/core/_multiarray.cpython-313.so", "native"],
    // A program of Node.js that came in a package of Python.
    ["/usr/lib/python3/dist-packages/notebook/server.js", "program"],
  ])("%s: %s", (file, origin) => {
    expect(originOf({ file })).toBe(origin);
  });

  test("where the standard library is elsewhere, the capture tells", () => {
    const runtime = { ...PYTHON_HEADER.runtime, standardLibrary: ["/build/cpython/Lib/"] };
    const writer = new CaptureWriter({ ...PYTHON_HEADER, runtime });
    const files = ["/build/cpython/Lib/abc.py", "/build/cpython/Lib/site-packages/six.py", "/build/cpython/Library.py"];
    writer.malloc(writer.stack(...files.map((file) => `f@${file}:1`)), 8, 4096);
    const [record] = readerOf(writer.finish()).getHighWatermarkAllocationRecords();
    expect(record?.stackTrace().map((frame) => originOf(frame))).toEqual(["program", "dependency", "internal"]);
  });

  test("modules are packages, the program's files, and what has none", () => {
    const moduleOf = (file: string) =>
      answeringModule([{ function: "f", file, line: 1, column: 0 }], "/srv/app", "Python");
    expect(moduleOf("/srv/app/.venv/lib/python3.13/site-packages/requests/api.py")).toBe("requests");
    expect(moduleOf("/usr/lib/python3/dist-packages/six.py")).toBe("six");
    expect(moduleOf("/srv/app/pkg/mod.py")).toBe("pkg/mod.py");
    expect(moduleOf("<frozen abc>")).toBe("<runtime>");
    expect(answeringModule([], "/srv/app", "Python")).toBe("<no Python>");
  });
});

test.each([
  ["_find_and_load", "<frozen importlib._bootstrap>", true, false],
  ["import_module", "/usr/lib/python3.13/importlib/__init__.py", true, false],
  ["Thread._bootstrap_inner", "/usr/lib/python3.13/threading.py", false, true],
  // Without qualified names, until Python 3.10.
  ["_bootstrap_inner", "/usr/lib/python3.9/threading.py", false, true],
  ["Condition.wait", "/usr/lib/python3.13/threading.py", false, false],
  ["BaseEventLoop._run_once", "/usr/lib/python3.13/asyncio/base_events.py", false, true],
  ["_worker", "/usr/lib/python3.13/concurrent/futures/thread.py", false, true],
  ["_run_code", "<frozen runpy>", false, true],
  ["_get_code_from_file", "<frozen runpy>", false, false],
  ["run_path", "/usr/lib/python3.9/runpy.py", false, true],
  ["loads", "/usr/lib/python3.13/json/__init__.py", false, false],
  ["run", "/srv/app/worker.py", false, false],
])("%s of %s: loads modules %s, only calls others %s", (name, file, loads, calls) => {
  const frame = { function: name, file };
  expect([isLoader(frame), isMachinery(frame)]).toEqual([loads, calls]);
});

test.each([
  ["_PyEval_Vector", true, true],
  ["PyObject_Vectorcall", true, true],
  ["method_vectorcall_NOARGS", true, true],
  ["Py_BytesMain", true, true],
  ["thread_run", true, false],
  ["PyImport_ImportModuleLevelObject", false, true],
  ["_start", true, false],
  ["_PyObject_Malloc", false, true],
  ["new_arena", false, true],
  ["PyByteArray_Resize", false, false],
  ["scan_once_unicode", false, false],
  ["uv_run", true, false],
])("machine code %s only calls others: %s, is the interpreter: %s", (name, calls, interpreter) => {
  const frame = { function: name, file: "/usr/bin/python3.13", native: true } as const;
  expect([isMachinery(frame), isInterpreter(frame)]).toEqual([calls, interpreter]);
});

/** The stack of each allocation, outermost first. */
function stacks(reader: CaptureReader): string[] {
  return [...reader.getAllocationRecords()].map((record) =>
    record
      .stackTrace()
      .map(({ function: name, file, line }) => `${name}@${file}:${line}`)
      .reverse()
      .join(" "),
  );
}

describe("what runs the program", () => {
  const own = (stack: readonly string[]) => stack.filter((frame) => !RUNNER.includes(frame)).join(" ");
  const expected = [
    own(PYTHON_STACKS.rows),
    own(PYTHON_STACKS.json),
    own(PYTHON_STACKS.requests),
    own(PYTHON_STACKS.six),
    own(PYTHON_STACKS.exec),
    own(PYTHON_STACKS.thread),
    "",
  ];

  test("is taken off the outer ends of stacks, in every event and in what is merged", () => {
    const reader = readerOf(pythonCapture().finish());
    expect(stacks(reader)).toEqual(expected);
    const merged = [...reader.getHighWatermarkAllocationRecords()].map((record) => record.stackTrace().at(-1)?.file);
    expect(new Set(merged)).toEqual(new Set(["/srv/app/app.py", "/usr/lib/python3.13/threading.py", undefined]));
  });

  test("while a capture arrives, too", () => {
    const live = new LiveCapture("live");
    const bytes = pythonCapture().finish();
    for (let i = 0; i < bytes.length; i += 100) {
      live.push(bytes.slice(i, i + 100));
      live.locations();
    }
    const totals = live.locations();
    const rows = live.locationNames.map(({ function: name, file }, i) => [name, file, totals.totalBytes[i]]);
    expect(rows).toContainEqual(["<module>", "/srv/app/app.py", 12_100]);
    expect(rows).toContainEqual(["thread loader, no Python", "", 700]);
    expect(rows.map(([, file]) => file)).not.toContain("<frozen runpy>");
  });

  test("keeps the stacks of what it allocates itself, and is no runner in between", () => {
    const writer = new CaptureWriter(PYTHON_HEADER);
    writer.malloc(writer.stack(...RUNNER), 8, 4096);
    writer.malloc(writer.stack(...RUNNER, "_get_code_from_file@<frozen runpy>:259"), 8, 8192);
    const inside = ["<module>@/srv/app/app.py:1", ...RUNNER, "<module>@/srv/app/other.py:2"];
    writer.malloc(writer.stack(...inside), 8, 12288);
    const own = ["<module>@/x/site-packages/heapray/_run.py:1", "begin@/x/site-packages/heapray/_run.py:9"];
    writer.malloc(writer.stack(...own, ...RUNNER, "<module>@/srv/app/app.py:1"), 8, 16384);
    const memray = ["_run_tracker@/x/site-packages/memray/commands/run.py:83", "run_path@<frozen runpy>:291"];
    writer.malloc(writer.stack(...memray, "<module>@app.py:3"), 8, 20480);
    expect(stacks(readerOf(writer.finish()))).toEqual([
      RUNNER.join(" "),
      "_get_code_from_file@<frozen runpy>:259",
      inside.join(" "),
      "<module>@/srv/app/app.py:1",
      "<module>@app.py:3",
    ]);
  });

  test("goes with the machine code around it", () => {
    const writer = new CaptureWriter(PYTHON_HEADER);
    const native = (parent: number, name: string) => {
      const frame = writer.nativeFrame(0, 0x1000 + parent);
      writer.symbol(frame, name);
      return writer.node(parent, frame);
    };
    const python = (parent: number, name: string, file: string) =>
      writer.node(parent, writer.frame({ function: writer.function(name, writer.script(file)), line: 1 }));
    const started = native(0, "Py_BytesMain");
    const run = python(started, "_run_code", "<frozen runpy>");
    const exec = native(run, "builtin_exec");
    const program = python(exec, "<module>", "/srv/app/app.py");
    const inner = native(program, "PyByteArray_Resize");
    const thread = native(0, "start_thread");
    const work = python(thread, "work", "/srv/app/app.py");
    for (const [i, node] of [inner, exec, work].entries()) writer.malloc(node, 8, 4096 * (i + 1));
    const names = [...readerOf(writer.finish()).getAllocationRecords()].map((record) =>
      record
        .stackTrace()
        .map((frame) => frame.function)
        .reverse(),
    );
    expect(names).toEqual([
      ["<module>", "PyByteArray_Resize"],
      ["Py_BytesMain", "_run_code", "builtin_exec"],
      ["start_thread", "work"],
    ]);
  });

  test("of Node.js, files of that name are the program's", () => {
    const writer = new CaptureWriter();
    writer.malloc(writer.stack("run_path@/srv/app/runpy.py:1", "main@/srv/app/app.js:1"), 8, 4096);
    expect(stacks(readerOf(writer.finish()))).toEqual(["run_path@/srv/app/runpy.py:1 main@/srv/app/app.js:1"]);
  });
});

test("functions of one name in one file are told apart by where they begin, where names are usual ones", () => {
  const writer = new CaptureWriter(PYTHON_HEADER);
  const script = writer.script("/srv/app/app.py");
  const names = ["<lambda>", "<lambda>", "__init__", "__init__", "load", "load", "<module>", "<module>"];
  for (const [i, name] of names.entries()) {
    const frame = writer.frame({ function: writer.function(name, script, 10 * (i + 1)), line: 10 * (i + 1) + 1 });
    writer.malloc(writer.node(0, frame), 8, 4096 * (i + 1));
  }
  const live = new LiveCapture("live");
  live.push(writer.finish());
  live.locations();
  expect(live.locationNames.map(({ function: name, line }) => `${name}:${line}`)).toEqual([
    "<lambda>:10",
    "<lambda>:20",
    "__init__:30",
    "__init__:40",
    "load:0",
    "<module>:0",
  ]);
});

test("of a stack of machine code, what CPython allocates with answers last", () => {
  const native = (name: string) => ({ function: name, file: "/lib/x.so", line: 0, column: 0, native: true }) as const;
  const frames = ["pymalloc_alloc", "_PyObject_Malloc", "read_rows", "_PyEval_Vector"].map(native);
  expect(answeringFrame(frames, { threadName: "t", tid: 1, language: "Python" }).function).toBe("read_rows");
});

test("records say what the program is written in, and stacks tell Python's names as they are", () => {
  const [first] = readerOf(pythonCapture().finish()).getHighWatermarkAllocationRecords();
  expect(first?.language).toBe("Python");
  expect(first?.stackTrace(2).map((frame) => frame.function)).toEqual(["Store.load.<locals>.<listcomp>", "Store.load"]);
  const node = new CaptureWriter();
  node.malloc(0, 8, 4096);
  expect([...readerOf(node.finish()).getAllocationRecords()].map((record) => record.language)).toEqual(["JavaScript"]);
});
