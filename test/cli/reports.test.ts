import { spawnSync } from "node:child_process";
import { existsSync, lstatSync, readdirSync, readFileSync, statSync, symlinkSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { decodeTable } from "../../src/reporters/table-codec.js";
import { CaptureWriter, HEADER } from "../support/capture-writer.js";
import { cliPath, type Folder, heapray, temporaryFolder } from "../support/heapray.js";

let folder: Folder;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.remove());

const inFolder = () => ({ cwd: folder.path });

/** 3,000 bytes at app.ts:7 at the peak, of which 1,000 are still held at the end. */
function capture(): Uint8Array {
  const writer = new CaptureWriter();
  const stack = writer.stack("main@/srv/app/app.ts:3", "load@/srv/app/app.ts:7", "alloc@node:buffer:400");
  writer.malloc(stack, 1000, 0x1000).malloc(stack, 2000, 0x2000).free(0x2000);
  return writer.trailer(HEADER.startTimeMs + 2500).finish();
}

function damagedCapture(): Uint8Array {
  const writer = new CaptureWriter();
  // A node whose frame nobody defined.
  writer.malloc(0, 1000, 0x1000).malloc(writer.node(0, 99), 10, 0x2000);
  return writer.finish();
}

describe("transform csv", () => {
  test("writes memray's columns beside the capture", () => {
    folder.write("heapray-app.1.bin", capture());
    expect(heapray(["transform", "csv", "heapray-app.1.bin"], inFolder())).toEqual({
      status: 0,
      signal: null,
      stdout: "Wrote heapray-csv-app.1.csv\n",
      stderr: "",
    });
    const [header, row, ...rest] = readFileSync(folder.join("heapray-csv-app.1.csv"), "utf8").split("\r\n");
    expect(header).toBe("allocator,num_allocations,size,tid,thread_name,stack_trace");
    expect(row).toMatch(
      /^MALLOC,2,3000,.*,alloc;node:buffer;400\|load;\/srv\/app\/app\.ts;7\|main;\/srv\/app\/app\.ts;3$/,
    );
    expect(rest).toEqual([""]);
  });

  test("--leaks writes what was held at the end", () => {
    folder.write("a.bin", capture());
    expect(heapray(["transform", "csv", "--leaks", "-o", "out.csv", "a.bin"], inFolder()).status).toBe(0);
    expect(readFileSync(folder.join("out.csv"), "utf8")).toContain("\r\nMALLOC,1,1000,");
  });

  test.each([
    ["a device", "/dev/full", /^heapray: \/dev\/full is not a regular file; .*\n$/],
    ["a folder", ".", /^heapray: .* is a directory; .*\n$/],
    ["a file in a file", "a.bin/x.csv", /^heapray: there is no directory a\.bin to write x\.csv in\.\n$/],
  ])("does not write to %s, and says so", (_, output, sentence) => {
    folder.write("a.bin", capture());
    const { status, stderr } = heapray(["transform", "csv", "-f", "-o", output, "a.bin"], inFolder());
    expect(status).toBe(1);
    expect(stderr).toMatch(sentence);
    expect(readdirSync(folder.path)).toEqual(["a.bin"]);
    expect(statSync("/dev/full").isCharacterDevice()).toBe(true);
  });

  test("-f replaces what a symbolic link leads to, and keeps the link", () => {
    folder.write("a.bin", capture());
    symlinkSync(folder.write("real.csv", "old"), folder.join("link.csv"));
    expect(heapray(["transform", "csv", "-f", "-o", "link.csv", "a.bin"], inFolder()).status).toBe(0);
    expect(lstatSync(folder.join("link.csv")).isSymbolicLink()).toBe(true);
    expect(readFileSync(folder.join("real.csv"), "utf8")).toContain("MALLOC");
  });
});

describe("flamegraph", () => {
  test("writes a page beside the capture", () => {
    folder.write("heapray-app.1.bin", capture());
    const { status, stdout, stderr } = heapray(["flamegraph", "heapray-app.1.bin"], inFolder());
    expect({ status, stdout, stderr }).toEqual({
      status: 0,
      stdout: "Wrote heapray-flamegraph-app.1.html\n",
      stderr: "",
    });
    expect(readFileSync(folder.join("heapray-flamegraph-app.1.html"), "utf8")).toMatch(/^<!doctype html>/i);
  });
});

describe("table", () => {
  /** What the page in a file holds. */
  const tableIn = (file: string) => {
    const [, payload = ""] = /id="heapray-data">([A-Za-z0-9+/=]+)</.exec(readFileSync(folder.join(file), "utf8")) ?? [];
    return decodeTable(gunzipSync(Buffer.from(payload, "base64")));
  };

  test("writes a page beside the capture", () => {
    folder.write("heapray-app.1.bin", capture());
    const { status, stdout, stderr } = heapray(["table", "heapray-app.1.bin"], inFolder());
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: "Wrote heapray-table-app.1.html\n", stderr: "" });
    const { kind, splitThreads, rows, frames, strings } = tableIn("heapray-table-app.1.html");
    expect({ kind, splitThreads }).toEqual({ kind: "high-water-mark", splitThreads: false });
    expect([...rows.bytes]).toEqual([3000]);
    expect([...rows.allocations]).toEqual([2]);
    const places = [rows.owner[0], rows.frame[0]].map(
      (row = 0) => `${strings[frames.function[row] ?? 0]} ${strings[frames.file[row] ?? 0]}:${frames.line[row]}`,
    );
    expect(places).toEqual(["load /srv/app/app.ts:7", "alloc node:buffer:400"]);
  });

  test("--leaks shows what was held at the end, --split-threads the threads apart", () => {
    folder.write("a.bin", capture());
    const { stderr } = heapray(["table", "--leaks", "--split-threads", "-o", "out.html", "a.bin"], inFolder());
    expect(stderr).toBe("");
    const { kind, splitThreads, rows } = tableIn("out.html");
    expect({ kind, splitThreads, bytes: [...rows.bytes] }).toEqual({
      kind: "leaks",
      splitThreads: true,
      bytes: [1000],
    });
  });
});

describe("summary", () => {
  test("prints the peak and the program's lines", () => {
    folder.write("a.bin", capture());
    const { status, stdout, stderr } = heapray(["summary", "a.bin"], inFolder());
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toBe(
      [
        "node app.js --fast",
        "  node v24.21.0, pid 4711, 2.5 s",
        "  2.9 KiB at the peak, 2 allocations in all",
        "",
        "2.9 KiB in 2 allocations held at the peak; 100.0% of it on this line:",
        "",
        "    bytes   share  allocations  line",
        "  2.9 KiB  100.0%            2  /srv/app/app.ts:7  load",
        "",
      ].join("\n"),
    );
  });

  test("memory without a stack is told by its thread's name", () => {
    const writer = new CaptureWriter().thread(1, 4711, "main").thread(2, 4712, "libuv-worker");
    writer.switchTo(1).malloc(0, 300, 0x1000).switchTo(2).malloc(0, 700, 0x2000);
    folder.write("a.bin", writer.finish());
    const { stdout, stderr } = heapray(["summary", "a.bin"], inFolder());
    expect(stderr).toBe("");
    expect(stdout).toMatch(/ 700 B +70\.0% +1 +thread libuv-worker, no JavaScript\n +300 B +30\.0% +1 +thread main, /);
  });

  test("a reader that stops early is no error", () => {
    folder.write("a.bin", capture());
    const command = `"${process.execPath}" "${cliPath}" summary a.bin | true; echo \${PIPESTATUS[0]}`;
    const { stdout, stderr } = spawnSync("bash", ["-c", command], { cwd: folder.path, encoding: "utf8" });
    expect({ stdout, stderr }).toEqual({ stdout: "0\n", stderr: "" });
  });
});

describe.each([
  ["flamegraph", ["flamegraph"], "heapray-flamegraph-app.html"],
  ["table", ["table"], "heapray-table-app.html"],
  ["transform csv", ["transform", "csv"], "heapray-csv-app.csv"],
])("%s refuses", (_, command, output) => {
  test("to overwrite, without -f", () => {
    folder.write("app.bin", capture());
    folder.write(output, "precious");
    const { status, stdout, stderr } = heapray([...command, "app.bin"], inFolder());
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toBe(`heapray: ${output} exists; give -f to overwrite it, or another name with -o.\n`);
    expect(readFileSync(folder.join(output), "utf8")).toBe("precious");
    expect(heapray([...command, "-f", "app.bin"], inFolder()).status).toBe(0);
    expect(readFileSync(folder.join(output), "utf8")).not.toBe("precious");
  });
});

describe.each([["flamegraph"], ["table"], ["transform csv"], ["summary"]])("%s says in one sentence", (name) => {
  const command = name.split(" ");

  test.each([
    ["that a file is missing", () => "missing.bin", /there is no file missing\.bin\.$/],
    ["that it got a folder", () => folder.path, /is a directory/],
    ["that a file is foreign", () => folder.write("photo.jpg", "\xff\xd8\xff\xe0 not ours ".repeat(99)), /photo\.jpg/],
    ["that a file is empty", () => folder.write("empty.bin", ""), /empty\.bin/],
    ["that a header is cut short", () => folder.write("cut.bin", capture().subarray(0, 40)), /cut\.bin/],
    ["that a capture is damaged", () => folder.write("bad.bin", damagedCapture()), /bad\.bin is damaged at byte \d+/],
  ])("%s", (_, makeFile, sentence) => {
    const { status, stdout, stderr } = heapray([...command, makeFile()], inFolder());
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toMatch(/^heapray: [^\n]+\n$/);
    expect(stderr.trimEnd()).toMatch(sentence);
    expect(readdirSync(folder.path).filter((file) => /\.(html|csv)$/.test(file))).toEqual([]);
  });
});

describe("help", () => {
  test.each([
    ["heapray", []],
    ["heapray run", ["run"]],
    ["heapray flamegraph", ["flamegraph"]],
    ["heapray table", ["table"]],
    ["heapray transform", ["transform"]],
    ["heapray transform csv", ["transform", "csv"]],
    ["heapray summary", ["summary"]],
  ])("%s --help shows usage and examples", (usage, args) => {
    const { status, stdout, stderr } = heapray([...args, "--help"], inFolder());
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toContain(`Usage: ${usage} `);
    expect(stdout).toMatch(/\nExamples:\n {2}heapray /);
  });

  test("every example of the help is a command that parses", () => {
    for (const name of ["run", "flamegraph", "table", "transform", "summary"]) {
      const { stdout } = heapray([name, "--help"], inFolder());
      const examples = [...stdout.matchAll(/^ {2}heapray (.*)$/gm)].map(([, rest = ""]) =>
        rest.replace(/'[^']*'/, "1"),
      );
      expect(examples.length).toBeGreaterThan(0);
      for (const example of examples) {
        // These go on to run something, whatever it is.
        if (example.includes("-e 1") || example.includes("--node-arg")) continue;
        // The others name files that are not here: that is the complaint, and not an option or argument.
        expect(heapray(example.split(/\s+/), inFolder()).stderr).toMatch(/there is no (file|script) /);
      }
    }
  });

  test.each([
    ["an unknown command", ["flame"]],
    ["an unknown option", ["summary", "--wat", "x.bin"]],
    ["a missing argument", ["flamegraph"]],
    ["too many arguments", ["summary", "a.bin", "b.bin"]],
    ["an unknown format", ["transform", "xml", "a.bin"]],
  ])("%s is one sentence", (_, args) => {
    const { status, stdout, stderr } = heapray(args, inFolder());
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toMatch(/^heapray: [^\n]+; see "heapray(?: \w+)* --help"\.\n$/);
  });

  test("without a command, help goes to standard error", () => {
    const { status, stdout, stderr } = heapray([], inFolder());
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toContain("Usage: heapray ");
  });

  test("--version prints the package's", () => {
    const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
    expect(heapray(["--version"], inFolder()).stdout).toBe(`${version}\n`);
    expect(existsSync(cliPath)).toBe(true);
  });
});
