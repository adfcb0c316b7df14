import { AllocatorType } from "../../src/capture/wire.js";
import { CaptureWriter } from "./capture-writer.js";

const LIBRARY = "/usr/lib/python3.13";
const PACKAGES = "/srv/app/.venv/lib/python3.13/site-packages";

/** What the header of a Python program's capture says. */
export const PYTHON_HEADER = {
  pid: 4711,
  mainThreadId: 4711,
  commandLine: ["/usr/bin/python3", "-X", "dev", "app.py", "--fast"],
  cwd: "/srv/app",
  runtime: { name: "python", version: "3.13.1", engine: "cpython 3.13.1", standardLibrary: [LIBRARY] },
  arch: "x64",
  platform: "linux",
  startTimeMs: 1_700_000_000_000,
  heaprayVersion: "0.1.0",
  options: {
    fileFormat: "ALL_ALLOCATIONS",
    nativeTraces: false,
    tracePythonAllocators: false,
    memoryIntervalMs: 10,
  },
};

/** `python -m`, or another runner, at the outer end of a stack. */
export const RUNNER = ["_run_module_as_main@<frozen runpy>:198", "_run_code@<frozen runpy>:88"];
const IMPORT = [
  "_find_and_load@<frozen importlib._bootstrap>:1360",
  "_load_unlocked@<frozen importlib._bootstrap>:935",
];
const MODULE = "<module>@/srv/app/app.py:40";

/** Stacks of a program, outermost first. */
export const PYTHON_STACKS = {
  rows: [...RUNNER, MODULE, "Store.load@/srv/app/store.py:12", "Store.load.<locals>.<listcomp>@/srv/app/store.py:13"],
  json: [
    ...RUNNER,
    MODULE,
    `loads@${LIBRARY}/json/__init__.py:346`,
    `JSONDecoder.decode@${LIBRARY}/json/decoder.py:345`,
  ],
  requests: [...RUNNER, MODULE, ...IMPORT, `<module>@${PACKAGES}/requests/api.py:11`],
  six: [...RUNNER, MODULE, `<module>@${PACKAGES}/six.py:5`],
  thread: [`Thread._bootstrap@${LIBRARY}/threading.py:1014`, "worker.<locals>.<lambda>@/srv/app/app.py:30"],
  exec: [...RUNNER, MODULE, "<module>@<string>:1"],
  runner: RUNNER,
} as const;

/**
 * A program's capture: 12,000 bytes by its own lines, 3,000 by the standard library, 2,100 by packages, and 700 by a thread
 * without frames. With `pymalloc`, its small blocks are those of Python's allocator.
 */
export function pythonCapture({ pymalloc = false } = {}): CaptureWriter {
  const header = { ...PYTHON_HEADER, options: { ...PYTHON_HEADER.options, tracePythonAllocators: pymalloc } };
  const writer = new CaptureWriter(header).thread(1, 4711, "MainThread").thread(2, 4712, "loader").switchTo(1);
  let address = 4096;
  const allocate = (stack: readonly string[], size: number, allocator = AllocatorType.MALLOC) => {
    address += 4096;
    writer.allocation(allocator, stack.length === 0 ? 0 : writer.stack(...stack), size, address);
  };
  const blocks = pymalloc ? AllocatorType.PYMALLOC_MALLOC : AllocatorType.MALLOC;
  allocate(PYTHON_STACKS.rows, 6000, pymalloc ? AllocatorType.PYMALLOC_REALLOC : AllocatorType.REALLOC);
  allocate(PYTHON_STACKS.json, 3000, blocks);
  allocate(PYTHON_STACKS.requests, 2000, blocks);
  allocate(PYTHON_STACKS.six, 100, pymalloc ? AllocatorType.PYMALLOC_CALLOC : AllocatorType.CALLOC);
  allocate(PYTHON_STACKS.exec, 1000, blocks);
  writer.snapshot(5, 30_000).switchTo(2);
  allocate(PYTHON_STACKS.thread, 5000);
  allocate([], 700);
  // RSS of 40,000: files, stacks, no heap of V8's, heapray, mapped, arenas, other; in use in arenas, large blocks.
  return writer
    .snapshot(10, 40_000, 0, 0, 0, 17_800, 40_000, 12_000, 2_000, 0, 1_000, 8_000, 12_000, 5_000, 9_000, 4_000)
    .trailer(PYTHON_HEADER.startTimeMs + 2500);
}
