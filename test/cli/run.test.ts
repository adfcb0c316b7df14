import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FileReader } from "../../src/analysis/file-reader.js";
import { AllocatorType } from "../../src/capture/wire.js";
import { cliPath, type Folder, heapray, node, temporaryFolder } from "../support/heapray.js";
import { nodeVersions } from "../support/node-versions.js";

let folder: Folder;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.remove());

const TALKATIVE = `
  process.stdout.write("out \\u00e9\\n");
  process.stderr.write("err\\n");
  console.log(JSON.stringify(process.argv.slice(2)), process.argv0, require.main === module, __filename);
  console.error(process.env.HEAPRAY_RUN, process.title);
  process.on("exit", (code) => console.log("exit", code));
  setTimeout(() => process.exit(7), 20);
`;

describe.each(nodeVersions)("on $name", ({ path: binary }) => {
  const on = () => ({ cwd: folder.path, node: binary });

  test("a program behaves as without the tracker", () => {
    const script = folder.write("talk.cjs", TALKATIVE);
    const plain = node([script, "a", "--help", "-o", "x"], on());
    const tracked = heapray(["run", "-q", "-o", "talk.bin", script, "a", "--help", "-o", "x"], on());
    expect(tracked).toEqual(plain);
    expect(plain.status).toBe(7);
    expect(statSync(folder.join("talk.bin")).size).toBeGreaterThan(100);
  });

  test("an uncaught error is reported as without the tracker", () => {
    const script = folder.write("fails.mjs", "await 1;\nfunction f() { throw new TypeError('no'); }\nf();\n");
    const plain = node([script], on());
    expect(plain.status).toBe(1);
    expect(heapray(["run", "-q", "-o", "fails.bin", script], on())).toEqual(plain);
  });

  test("the capture holds what the program allocated", () => {
    const script = folder.write(
      "keep.cjs",
      "globalThis.kept = [];\nfor (let i = 0; i < 50; i++)\n  kept.push(Buffer.alloc(1e6));\n",
    );
    const { status, stdout } = heapray(["run", "-o", "keep.bin", script], on());
    expect({ status, stdout }).toEqual({ status: 0, stdout: "" });
    const reader = new FileReader(folder.join("keep.bin"));
    let bytes = 0;
    for (const record of reader.getHighWatermarkAllocationRecords()) {
      // Where V8's heap happens to grow is up to V8.
      if (record.allocator === AllocatorType.HEAP_PAGES) continue;
      if (record.stackTrace().some(({ file, line }) => file === script && line === 3)) bytes += record.size;
    }
    reader.close();
    expect(bytes).toBeGreaterThanOrEqual(50e6);
    expect(bytes).toBeLessThan(51e6);
  });
});

describe("options", () => {
  const inFolder = () => ({ cwd: folder.path });

  test("the default name tells script and process, and the next command works as printed", () => {
    folder.write("my app.cjs", "console.log(process.pid)");
    const { stdout, stderr } = heapray(["run", "my app.cjs"], inFolder());
    const name = `heapray-my app.cjs.${stdout.trim()}.bin`;
    expect(readdirSync(folder.path).sort()).toEqual([name, "my app.cjs"]);
    expect(stderr).toContain(`wrote '${name}'`);
    expect(stderr).toContain(`node ${cliPath} flamegraph '${name}'`);
  });

  test("-q keeps quiet", () => {
    folder.write("nothing.cjs", "");
    expect(heapray(["run", "-q", "nothing.cjs"], inFolder())).toEqual({
      status: 0,
      signal: null,
      stdout: "",
      stderr: "",
    });
  });

  test("--node-arg goes to node, before the script", () => {
    folder.write("limit.cjs", "console.log(Error.stackTraceLimit, typeof gc, process.argv.length)");
    const flags = ["--node-arg=--stack-trace-limit=3", "--node-arg", "--expose-gc"];
    const { stdout } = heapray(["run", "-q", ...flags, "limit.cjs"], inFolder());
    expect(stdout).toBe("3 function 2\n");
  });

  test("-e runs code, with arguments", () => {
    const code = "console.log(process.argv.slice(1))";
    const { stdout } = heapray(["run", "-q", "-e", code, "a", "-b"], inFolder());
    expect(stdout).toBe("[ 'a', '-b' ]\n");
    expect(readdirSync(folder.path)).toEqual([expect.stringMatching(/^heapray-eval\.\d+\.bin$/)]);
  });

  test("standard input reaches the program, or is the program", () => {
    folder.write("cat.cjs", "process.stdin.pipe(process.stdout)");
    const input = "line\n".repeat(10_000);
    expect(heapray(["run", "-q", "cat.cjs"], { ...inFolder(), input }).stdout).toBe(input);
    expect(heapray(["run", "-q", "-"], { ...inFolder(), input: "console.log(1 + 1)" }).stdout).toBe("2\n");
  });

  test("a script is found as node finds it", () => {
    folder.write("tool.js", "console.log('found')");
    expect(heapray(["run", "-q", "tool"], inFolder()).stdout).toBe("found\n");
  });

  test("what the program starts is not tracked", () => {
    folder.write(
      "parent.cjs",
      `const { execFileSync, fork } = require("node:child_process");
       console.log(execFileSync(process.execPath, ["-p", "process.env.HEAPRAY_RUN"], { encoding: "utf8" }).trim());
       fork(require.resolve("./child.cjs"));`,
    );
    folder.write("child.cjs", "console.log('forked', process.env.HEAPRAY_RUN)");
    const { stdout, stderr } = heapray(["run", "-q", "parent.cjs"], inFolder());
    expect({ stdout, stderr }).toEqual({ stdout: "undefined\nforked undefined\n", stderr: "" });
    expect(readdirSync(folder.path).filter((name) => name.endsWith(".bin"))).toHaveLength(1);
  });

  test("what is to be recorded is recorded in the capture", () => {
    const flags = ["--native", "--embed-symbols", "--memory-interval-ms", "25", "--buffered-file-io"];
    expect(heapray(["run", "-q", ...flags, "-o", "a.bin", "-e", "1"], inFolder()).status).toBe(0);
    using reader = new FileReader(folder.join("a.bin"));
    expect(reader.metadata).toMatchObject({
      complete: true,
      hasNativeTraces: true,
      options: { nativeTraces: true, embedSymbols: true, memoryIntervalMs: 25 },
    });
  });

  test("native frames' names are not kept where there are no native frames", () => {
    const { status, stderr } = heapray(["run", "-q", "--embed-symbols", "-o", "a.bin", "-e", "1"], inFolder());
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: "heapray: --embed-symbols names native frames: add --native.\n",
    });
    expect(readdirSync(folder.path)).not.toContain("a.bin");
  });

  test("a program whose tracker fails runs untracked, and heapray says that there is no capture", () => {
    folder.write("fine.cjs", "console.log('fine'); process.exitCode = 4;");
    // A folder takes the capture's place when heapray has looked already.
    const late = folder.write("late.cjs", "if (process.env.HEAPRAY_RUN) require('node:fs').mkdirSync('a.bin')");
    const env = { ...process.env, NODE_OPTIONS: `--require=${late}` };
    const { status, stdout, stderr } = heapray(["run", "-o", "a.bin", "fine.cjs"], { ...inFolder(), env });
    expect({ status, stdout }).toEqual({ status: 4, stdout: "fine\n" });
    expect(stderr).toMatch(/^heapray: the program runs untracked: [^\n]+\n\[heapray\] no capture was written\.\n$/);
  });

  test("an existing file is kept, and the program not started, without -f", () => {
    folder.write("touch.cjs", "require('node:fs').writeFileSync('started', '')");
    const capture = folder.write("out.bin", "precious");
    const refused = heapray(["run", "-o", "out.bin", "touch.cjs"], inFolder());
    expect(refused).toMatchObject({ status: 1, stdout: "" });
    expect(refused.stderr).toBe("heapray: out.bin exists; give -f to overwrite it, or another name with -o.\n");
    expect(existsSync(folder.join("started"))).toBe(false);
    expect(readFileSync(capture, "utf8")).toBe("precious");

    expect(heapray(["run", "-f", "--no-compress", "-o", "out.bin", "touch.cjs"], inFolder()).status).toBe(0);
    expect(readFileSync(capture).subarray(0, 7).toString()).toBe("heapray");
  });

  test.each([
    ["no script", ["run"], /^heapray: there is no script to run; .*\n$/],
    ["a missing script", ["run", "missing.js"], /^heapray: there is no script missing\.js\.\n$/],
    ["a missing folder", ["run", "-o", "no/where.bin", "-e", "1"], /^heapray: there is no directory no to write .*\n$/],
    ["a folder for a file", ["run", "-o", ".", "-e", "1"], /^heapray: .* is a directory; .*\n$/],
    ["an unknown option", ["run", "--wat", "x.js"], /^heapray: unknown option '--wat'.*\n$/],
    ["a bad number", ["run", "--memory-interval-ms", "0", "-e", "1"], /^heapray: .*milliseconds.*\n$/],
  ])("%s is one sentence", (_, args, sentence) => {
    const { status, stdout, stderr } = heapray(args, inFolder());
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toMatch(sentence);
    expect(stderr.trimEnd()).not.toContain("\n");
    expect(readdirSync(folder.path)).toEqual([]);
  });
});
