import { chmodSync, existsSync, mkdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import ts from "typescript";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FileReader } from "../../src/analysis/file-reader.js";
import { cliPath, type Folder, node, root, temporaryFolder } from "../support/heapray.js";
import { nodeVersions } from "../support/node-versions.js";
import { expected, found, isRelease, ownStack, program, trailerOf, truthsOf } from "./truth.js";

const ESM = path.join(root, "dist/index.js");
const CJS = path.join(root, "dist/index.cjs");
const FINE = { status: 0, signal: null, stdout: "", stderr: "" };

let folder: Folder;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.remove());

describe.each(nodeVersions)("on $name", ({ path: binary, version }) => {
  const on = () => ({ cwd: folder.path, node: binary });

  /** Runs a script's text, CommonJS; `heapray` is what it requires. @returns what it printed, JSON */
  function run(text: string): unknown {
    const script = folder.write("script.cjs", `const heapray = require(${JSON.stringify(CJS)});\n${text}`);
    const { stdout, ...ended } = node([script], on());
    expect(ended).toEqual({ status: 0, signal: null, stderr: "" });
    return stdout === "" ? undefined : JSON.parse(stdout);
  }

  test("a tracker takes a path or a destination, and says what else is wrong", () => {
    folder.write("old.bin", "precious");
    const results = run(`
      const { Tracker, FileDestination } = heapray;
      const attempt = (work) => {
        try { work(); return "fine"; } catch (error) {
          return [error.constructor.name, error.name, error.code, error.errno, error instanceof heapray.HeaprayError];
        }
      };
      const destination = new FileDestination("a.bin");
      const results = {
        neither: attempt(() => new Tracker()),
        nothing: attempt(() => new Tracker({})),
        both: attempt(() => new Tracker("a.bin", { destination })),
        bare: attempt(() => new Tracker(destination)),
        number: attempt(() => new Tracker(1)),
        empty: attempt(() => new Tracker("")),
        interval: attempt(() => new Tracker("a.bin", { memoryIntervalMs: 0 })),
        symbols: attempt(() => new Tracker("a.bin", { embedSymbols: true })),
        exists: attempt(() => new Tracker("old.bin")),
        folderMissing: attempt(() => new Tracker("no/a.bin")),
        folder: attempt(() => new Tracker({ destination: new FileDestination(".", { overwrite: true }) })),
        notAFolder: attempt(() => new Tracker("old.bin/a.bin")),
      };
      const tracker = new Tracker({ destination });
      results.second = attempt(() => new Tracker("b.bin"));
      results.again = attempt(() => tracker.start());
      results.active = tracker.active;
      results.stopped = [tracker.stop(), tracker.stop(), tracker.active];
      results.restarted = attempt(() => tracker.start());
      results.overwritten = attempt(() => {
        new Tracker({ destination: new FileDestination("a.bin", { overwrite: true }) }).stop();
      });
      console.log(JSON.stringify(results));
    `);
    const heaprayError = (name: string, code: string, errno?: string) => [name, name, code, errno ?? null, true];
    const active = heaprayError("TrackerActiveError", "HEAPRAY_TRACKER_ACTIVE");
    const unwritable = (errno: string) => heaprayError("CaptureWriteError", "HEAPRAY_CAPTURE_WRITE", errno);
    const typeError = ["TypeError", "TypeError", null, null, false];
    expect(results).toEqual({
      neither: typeError,
      nothing: typeError,
      both: typeError,
      bare: typeError,
      number: typeError,
      empty: typeError,
      interval: ["RangeError", "RangeError", null, null, false],
      symbols: typeError,
      exists: heaprayError("CaptureExistsError", "HEAPRAY_CAPTURE_EXISTS"),
      folderMissing: unwritable("ENOENT"),
      folder: unwritable("EISDIR"),
      notAFolder: unwritable("ENOTDIR"),
      second: active,
      again: active,
      active: true,
      stopped: [true, true, false],
      restarted: heaprayError("TrackerReusedError", "HEAPRAY_TRACKER_REUSED"),
      overwritten: "fine",
    });
    expect(readFileSync(folder.join("old.bin"), "utf8")).toBe("precious");
    expect(existsSync(folder.join("b.bin"))).toBe(false);
    expect(statSync(folder.join("a.bin")).mode & 0o777).toBe(0o600);
    expect(trailerOf(folder.join("a.bin"))).toBe("stop");
  });

  test("a folder without permission", () => {
    mkdirSync(folder.join("locked"), { mode: 0o500 });
    chmodSync(folder.path, 0o755);
    const result = run(`
      const { Tracker, CaptureWriteError } = heapray;
      new Tracker("first.bin").stop();
      // To the superuser everything is permitted.
      if (process.getuid() === 0) process.seteuid(65534);
      try { new Tracker("locked/a.bin"); } catch (error) {
        console.log(JSON.stringify([error instanceof CaptureWriteError, error.errno, error.message]));
      }
    `);
    expect(result).toEqual([true, "EACCES", expect.stringContaining("locked/a.bin")]);
  });

  test("the header tells all there is to tell, and the trailer why it ended", () => {
    const before = Date.now();
    const pid = run(`
      process.title = "renamed";
      new heapray.Tracker("a.bin", { nativeTraces: true, memoryIntervalMs: 25 });
      setTimeout(() => console.log(process.pid), 60);
    `);
    const { version: heaprayVersion } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"));
    using reader = new FileReader(folder.join("a.bin"));
    const { startTimeMs, endTimeMs, ...metadata } = reader.metadata;
    expect(metadata).toMatchObject({
      pid,
      mainThreadId: pid,
      commandLine: [binary, folder.join("script.cjs")],
      cwd: folder.path,
      runtime: { name: "node", version: `v${version}`, engine: expect.stringMatching(/^v8 \d+\.\d+\./) },
      arch: "x64",
      platform: "linux",
      heaprayVersion,
      options: {
        fileFormat: "ALL_ALLOCATIONS",
        nativeTraces: true,
        embedSymbols: false,
        memoryIntervalMs: 25,
        buffered: false,
      },
      hasNativeTraces: true,
      complete: true,
    });
    expect(startTimeMs).toBeGreaterThanOrEqual(before);
    expect(endTimeMs).toBeGreaterThanOrEqual(startTimeMs + 55);
    expect(endTimeMs).toBeLessThanOrEqual(Date.now());
    expect(trailerOf(folder.join("a.bin"))).toBe("exit");
  });

  test("Tracker.run: what the function returns, throws, resolves and rejects", () => {
    const results = run(`
      const { Tracker, FileDestination } = heapray;
      const { setTimeout: wait } = require("node:timers/promises");
      (async () => {
        const results = [];
        results.push(Tracker.run("sync.bin", () => { Buffer.allocUnsafeSlow(14009); return 1; }));
        try {
          Tracker.run("throws.bin", () => { Buffer.allocUnsafeSlow(14009); throw new Error("thrown"); });
        } catch (error) { results.push(error.message); }
        const pending = Tracker.run(new FileDestination("async.bin"), async () => {
          await wait(20);
          Buffer.allocUnsafeSlow(14009);
          return 3;
        }, { memoryIntervalMs: 5 });
        results.push(pending instanceof Promise, await pending);
        try {
          await Tracker.run("rejects.bin", async () => {
            await wait(5);
            Buffer.allocUnsafeSlow(14009);
            throw new Error("rejected");
          });
        } catch (error) { results.push(error.message); }
        console.log(JSON.stringify(results));
      })();
    `);
    expect(results).toEqual([1, "thrown", true, 3, "rejected"]);
    for (const name of ["sync", "throws", "async", "rejects"]) {
      const capture = folder.join(`${name}.bin`);
      expect(trailerOf(capture)).toBe("stop");
      using reader = new FileReader(capture);
      const seen = [...reader.getAllocationRecords()].filter((r) => r.size === 14_009 && !isRelease(r.allocator));
      expect(seen).toHaveLength(1);
    }
  });

  test("a program that heapray runs may use heapray itself, and is told that it is tracked", () => {
    const script = folder.write(
      "itself.cjs",
      `const { Tracker } = require(${JSON.stringify(CJS)});
       for (let i = 0; i < 2; i++) {
         try { new Tracker("mine.bin"); } catch (error) { console.log(error.name); }
       }`,
    );
    const { status, stdout, stderr } = node([cliPath, "run", "-q", "-o", "a.bin", script], on());
    expect({ status, stdout, stderr }).toEqual({
      status: 0,
      stdout: "TrackerActiveError\nTrackerActiveError\n",
      stderr: "",
    });
  });

  test("using, in an ES module", () => {
    const text = `
      import { Tracker, FileDestination, FileFormat } from ${JSON.stringify(ESM)};
      function work() {
        using tracker = new Tracker({
          destination: new FileDestination("using.bin"), fileFormat: FileFormat.ALL_ALLOCATIONS,
        });
        return [tracker.active, Buffer.allocUnsafeSlow(14011).length];
      }
      console.log(JSON.stringify(work()));
      Buffer.allocUnsafeSlow(14011);
      new Tracker("next.bin").stop();`;
    const { outputText } = ts.transpileModule(text, {
      compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
    });
    const ended = node([folder.write("using.mjs", outputText)], on());
    expect(ended).toEqual({ ...FINE, stdout: "[true,14011]\n" });
    expect(trailerOf(folder.join("using.bin"))).toBe("stop");
    using reader = new FileReader(folder.join("using.bin"));
    const seen = [...reader.getAllocationRecords()].filter((r) => r.size === 14_011 && !isRelease(r.allocator));
    expect(seen).toHaveLength(1);
  });

  test("one tracker after the other, fifty times", () => {
    run(`
      const { Tracker } = heapray;
      const kept = [];
      function make(size) { return Buffer./*@make*/allocUnsafeSlow(size); }
      for (let i = 0; i < 50; i++) {
        const tracker = new Tracker(i + ".bin");
        for (let j = 0; j <= i; j++) kept.push(/*@loop <module>*/make(15000 + i));
        tracker.stop();
        kept.push(make(15000 + i));
      }
      //> 15000 = make loop
    `);
    const [truth] = truthsOf([folder.join("script.cjs")]);
    for (let i = 0; i < 50; i++) {
      using reader = new FileReader(folder.join(`${i}.bin`));
      const seen = [...reader.getAllocationRecords()].filter(({ size }) => size >= 15_000 && size < 15_050);
      expect(seen.map(({ size }) => size)).toEqual(Array(i + 1).fill(15_000 + i));
      expect(new Set(seen.map((record) => ownStack(record.stackTrace())))).toEqual(new Set([truth?.stack]));
    }
  });

  test.each([0, 20_000])("code that ran %d times before the tracker started", (rounds) => {
    const script = program("warm-start.cjs");
    const capture = folder.join("capture.bin");
    expect(node([script, String(rounds), CJS, capture], on())).toEqual(FINE);
    const truths = truthsOf([script]);
    expect(found(capture, truths)).toEqual(expected(truths));
  });
});
