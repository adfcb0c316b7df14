import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync } from "node:fs";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { FileReader } from "../../src/analysis/file-reader.js";
import { AllocatorType } from "../../src/capture/wire.js";
import { cliPath, type Ended, type Folder, heapray, heaprayUntilReady, temporaryFolder } from "../support/heapray.js";
import { pythons, withHeapray } from "../support/pythons.js";
import { Running, until } from "../support/running.js";

let folder: Folder;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.remove());

/** What a program can see of how it was started. */
const TALKATIVE = `"""A program."""
from __future__ import annotations
import atexit, inspect, os, pickle, subprocess, sys, threading, traceback
print(sys.argv, getattr(sys, "orig_argv", [])[1:], __name__, __file__, __doc__, __package__, sorted(globals()))
print(type(__loader__).__name__, getattr(__spec__, "name", None), sys.executable, sys.prefix, sys.flags)
print(sys.path, "sitecustomize" in sys.modules, len(inspect.stack()), len(traceback.extract_stack()))
print([(name, value) for name, value in sorted(os.environ.items()) if name.startswith(("PYTHON", "HEAPRAY"))])
class Kept: pass
print(type(pickle.loads(pickle.dumps(Kept()))) is Kept, sys.modules["__main__"].Kept is Kept)
print(subprocess.run([sys.executable, "-c", "import sys; print(sys.path, 'heapray' in sys.modules)"], capture_output=True).stdout)
sys.stdout.flush()
atexit.register(lambda: print("at exit", Kept.__name__))
end = threading.Event()
threading.Thread(target=lambda: (end.wait(), print("thread", Kept.__name__))).start()
print("err", file=sys.stderr)
end.set()
`;

const FAILS = `
def f():
    raise ValueError("no")
def g():
    try:
        f()
    except ValueError:
        1 / 0
g()
`;

describe.each(pythons)("on $name", (version) => {
  let python = "";
  beforeAll(() => {
    python = withHeapray(version);
  }, 600_000);

  function plain(...args: string[]): Ended {
    const { status, signal, stdout, stderr } = spawnSync(python, args, { cwd: folder.path, encoding: "utf8" });
    return { status, signal, stdout, stderr };
  }
  const tracked = (...args: string[]) =>
    heapray(["run", "-q", "-o", "{pid}.bin", "--python", python, ...args], { cwd: folder.path });

  test("a program behaves as without the tracker: a script, a module, a folder, an archive, code", () => {
    folder.write("talk.py", `${TALKATIVE}sys.exit(7)\n`);
    mkdirSync(folder.join("talks"));
    folder.write("talks/__main__.py", TALKATIVE);
    spawnSync(python, ["-m", "zipapp", "talks"], { cwd: folder.path });
    for (const args of [["talk.py", "a", "-o", "--help"], ["-m", "talk", "-m", "x"], ["talks"], ["talks.pyz", "-c"]]) {
      expect(tracked(...args), args.join(" ")).toEqual(plain(...args));
    }
    const code = "import sys; print(sys.argv, sys.path, __name__, sorted(globals()))";
    expect(tracked("-c", code, "-m", "x")).toEqual(plain("-c", code, "-m", "x"));
    expect(plain("talk.py").status).toBe(7);
    expect(readdirSync(folder.path).filter((name) => name.endsWith(".bin"))).toHaveLength(5);
  });

  test("its errors and ends are as without the tracker", () => {
    folder.write("fails.py", FAILS);
    expect(tracked("fails.py")).toEqual(plain("fails.py"));
    for (const code of [
      "import sys; sys.exit('why')",
      "raise KeyboardInterrupt",
      "import os, signal; os.kill(os.getpid(), signal.SIGTERM)",
      "import os; os.abort()",
      "import os; os._exit(5)",
      "import sys; sys.excepthook = lambda *a: print('hook', len(a)); 1/0",
      "def f(",
    ]) {
      expect(tracked("-c", code), code).toEqual(plain("-c", code));
    }
    expect(tracked("-m", "no_such_module")).toEqual(plain("-m", "no_such_module"));
  });

  test("the capture holds what the program allocated, and nothing of heapray's", () => {
    const script = folder.write("keep.py", "kept = []\nfor i in range(50):\n    kept.append(bytearray(1_000_000))\n");
    const { status, stdout } = heapray(["run", "-o", "keep.bin", "--python", python, script], { cwd: folder.path });
    expect({ status, stdout }).toEqual({ status: 0, stdout: "" });
    using reader = new FileReader(folder.join("keep.bin"));
    let bytes = 0;
    for (const record of reader.getHighWatermarkAllocationRecords()) {
      const stack = record.stackTrace();
      expect(stack.filter(({ file }) => /\/heapray\/|sitecustomize/.test(file))).toEqual([]);
      if (stack.some(({ file, line }) => file === script && line === 3)) bytes += record.size;
    }
    expect(bytes).toBeGreaterThanOrEqual(50e6);
    expect(bytes).toBeLessThan(51e6);
    expect(reader.metadata).toMatchObject({ complete: true, runtime: { name: "python", version: version.version } });
  });

  test("what is to be recorded is recorded", () => {
    const flags = ["--native", "--trace-python-allocators", "--memory-interval-ms", "25", "--buffered-file-io"];
    expect(tracked(...flags, "-o", "a.bin", "-c", "kept = [object() for i in range(10_000)]").status).toBe(0);
    using reader = new FileReader(folder.join("a.bin"));
    expect(reader.metadata).toMatchObject({
      complete: true,
      hasNativeTraces: true,
      options: { nativeTraces: true, tracePythonAllocators: true, memoryIntervalMs: 25, buffered: true },
    });
    let objects = 0;
    for (const { allocator, size } of reader.getAllocationRecords()) {
      if (allocator === AllocatorType.PYMALLOC_MALLOC && size === 16) objects++;
    }
    expect(objects).toBeGreaterThanOrEqual(10_000);
  });

  test("with --follow-fork, forked processes have captures of their own", () => {
    const code = "import os\nchild = os.fork()\nkept = bytearray(3_000_000)\nif child: os.waitpid(child, 0)\n";
    folder.write("forks.py", code);
    const run = ["run", "--follow-fork", "-o", "forks.bin", "--python", python, "forks.py"];
    expect(heapray(run, { cwd: folder.path }).stderr).toContain("and 1 capture of a child process next to it");
    const captures = readdirSync(folder.path).filter((name) => name.startsWith("forks.bin"));
    expect(captures).toHaveLength(2);
    for (const capture of captures) {
      using reader = new FileReader(folder.join(capture));
      const sizes = [...reader.getAllocationRecords()].map(({ size }) => size);
      expect(sizes.filter((size) => size >= 3e6)).toHaveLength(1);
    }
  });

  test("a program that is killed leaves what came before, and with --aggregate a sentence", () => {
    const code = "import os, time; kept = bytearray(5_000_000); time.sleep(0.3); os.kill(os.getpid(), 9)";
    const run = (...flags: string[]) =>
      heapray(["run", ...flags, "--python", python, "-c", code], { cwd: folder.path });
    expect(run("-o", "a.bin")).toMatchObject({ signal: "SIGKILL", stderr: expect.stringContaining("wrote a.bin") });
    using reader = new FileReader(folder.join("a.bin"));
    expect([...reader.getAllocationRecords()].some(({ size }) => size > 5e6)).toBe(true);
    expect(run("--aggregate", "-o", "b.bin").stderr).toContain("b.bin has no data");
  });

  test("signals reach it, and it ends with heapray", async () => {
    const listens =
      "import signal, sys, time\nfor n in (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR2):\n" +
      "    signal.signal(n, lambda number, frame: (print('got', number), sys.exit(9)))\n" +
      "sys.stdout.write('ready\\n')\nsys.stdout.flush()\nwhile True: time.sleep(0.05)\n";
    folder.write("listens.py", listens);
    const run = ["run", "-q", "--python", python, "listens.py"];
    for (const [signal, number] of [
      ["SIGTERM", 15],
      ["SIGHUP", 1],
      ["SIGUSR2", 12],
    ] as const) {
      const kill = (pid: number) => process.kill(pid, signal);
      const ended = await heaprayUntilReady(run, kill, { cwd: folder.path });
      expect(ended).toEqual({ status: 9, signal: null, stdout: `ready\ngot ${number}\n`, stderr: "" });
    }
    folder.write("tells.py", "import os, time\nprint(os.getpid(), flush=True)\nwhile True: time.sleep(0.05)\n");
    const args = [cliPath, "run", "-q", "--python", python, "tells.py"];
    const running = new Running(process.execPath, args, folder.path);
    await running.says(/^\d+\n/);
    running.kill("SIGKILL");
    const pid = Number(running.stdout);
    const isThere = () => {
      try {
        return process.kill(pid, 0);
      } catch {
        return false;
      }
    };
    await until(() => !isThere());
  });

  test("names tell the module, or that it was code; standard input is the program's; python's flags are its own", () => {
    const run = (...args: string[]) =>
      heapray(["run", "-q", "--python", python, ...args], { cwd: folder.path, input: "line\n" }).stdout;
    folder.write("module.py", "print(input())");
    expect(run("-mmodule")).toBe("line\n");
    expect(run("-c", "import sys; print(sys.stdin.read())")).toBe("line\n\n");
    expect(
      run("--python-arg=-X", "--python-arg=dev", "--python-arg=-u", "-c", "import sys; print(sys.flags.dev_mode)"),
    ).toBe("True\n");
    expect(run("-")).toBe("");
    const names = readdirSync(folder.path).filter((name) => name.endsWith(".bin"));
    expect(names.map((name) => name.replace(/\.\d+\./, ".")).sort()).toEqual([
      "heapray-module.bin",
      "heapray-stdin.bin",
      "heapray-string.bin",
      "heapray-string.bin",
    ]);
  });

  test("the program's own sitecustomize runs, and PYTHONPATH stays", () => {
    folder.write("sitecustomize.py", "print('customized', __name__)");
    folder.write(
      "looks.py",
      "import os, sys, sitecustomize\nprint(os.environ['PYTHONPATH'], sitecustomize.__file__)\n",
    );
    const env = { ...process.env, PYTHONPATH: folder.path };
    const run = heapray(["run", "-q", "--python", python, "looks.py"], { cwd: folder.path, env });
    const { stdout } = spawnSync(python, ["looks.py"], { cwd: folder.path, env, encoding: "utf8" });
    expect(run).toEqual({ status: 0, signal: null, stdout, stderr: "" });
    expect(stdout).toContain("customized sitecustomize");
  });
});
