import { spawnSync } from "node:child_process";
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { decodeFlameGraph } from "../../src/reporters/flamegraph-codec.js";
import { decodeTable } from "../../src/reporters/table-codec.js";
import type { TemporalTables, TemporalView } from "../../src/reporters/temporal-data.js";
import { amountsIn } from "../../src/reporters/temporal-weights.js";
import { AGGREGATED_HEADER, CaptureWriter, HEADER } from "../support/capture-writer.js";
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

/** What the page in a file is made of. */
function packedIn(file: string): Uint8Array {
  const [, payload = ""] = /id="heapray-data">([A-Za-z0-9+/=]+)</.exec(readFileSync(folder.join(file), "utf8")) ?? [];
  return gunzipSync(Buffer.from(payload, "base64"));
}

describe("flamegraph's options", () => {
  const graphOf = (...options: string[]) => {
    expect(heapray(["flamegraph", ...options, "-f", "-o", "out.html", "a.bin"], inFolder()).stderr).toBe("");
    return decodeFlameGraph(packedIn("out.html"));
  };

  test("--inverted starts with frames that allocate at the root", () => {
    folder.write("a.bin", capture());
    expect(graphOf().inverted).toBe(false);
    expect(graphOf("--inverted").inverted).toBe(true);
  });

  test("--max-memory-records keeps so many points, and the highest one", () => {
    const writer = new CaptureWriter();
    for (let i = 0; i < 500; i++) writer.snapshot(i * 10, 1e6 + (i === 333 ? 5e6 : i), 100);
    folder.write("a.bin", writer.trailer(HEADER.startTimeMs + 5000).finish());
    expect(graphOf().snapshots.rss.length).toBe(500);
    const { rss } = graphOf("--max-memory-records", "30").snapshots;
    expect(rss.length).toBeLessThanOrEqual(30);
    expect(rss.length).toBeGreaterThan(5);
    expect(Math.max(...rss)).toBe(6e6);
  });

  test.each([[[]], [["--leaks"]]])("--temporal tells of ranges of time, with %j", (options) => {
    const writer = new CaptureWriter();
    const stack = writer.stack("main@/srv/app/app.ts:3");
    for (let i = 0; i < 10; i++) {
      writer.malloc(stack, 100, 0x1000 + i).malloc(stack, 5000 * (i + 1), 0x9000);
      writer.free(0x9000).snapshot(i * 10, 1e6);
    }
    folder.write("heapray-app.1.bin", writer.trailer(HEADER.startTimeMs + 100).finish());
    expect(heapray(["flamegraph", "--temporal", ...options, "heapray-app.1.bin"], inFolder())).toMatchObject({
      status: 0,
      stdout: "Wrote heapray-flamegraph-app.1.html\n",
      stderr: "",
    });
    const { kind, temporal, weights } = decodeFlameGraph(packedIn("heapray-flamegraph-app.1.html"));
    expect(kind).toBe(options.length === 0 ? "high-water-mark" : "leaks");
    const held = (view: TemporalView, first: number, last: number): number =>
      amountsIn(temporal as TemporalTables, view, { first, last }, weights.node.length).bytes.reduce(
        (a, b) => a + b,
        0,
      );
    expect(held("high-water-mark", 2, 5)).toBe(6 * 100 + 6 * 5000);
    expect(held("leaks", 2, 5)).toBe(4 * 100);
    expect(held("leaks", 2, 10)).toBe(8 * 100);
    expect(weights.bytes.reduce((a, b) => a + b, 0)).toBe(options.length === 0 ? 51_000 : 1000);
    heapray(
      ["flamegraph", "--temporal", "--max-memory-records", "4", "-f", "-o", "out.html", "heapray-app.1.bin"],
      inFolder(),
    );
    expect(decodeFlameGraph(packedIn("out.html")).temporal?.endMs.length).toBe(2);
  });

  test("--temporal refuses what it cannot tell of", () => {
    folder.write("a.bin", capture());
    folder.write("sums.bin", new CaptureWriter(AGGREGATED_HEADER).totals(0, 0).trailer(0).finish());
    for (const [options, sentence] of [
      [["sums.bin"], /^heapray: sums\.bin is an aggregated capture, which keeps no single allocations; [^\n]+\n$/],
      [["--leaks", "sums.bin"], /^heapray: sums\.bin is an aggregated capture, [^\n]+\n$/],
      [["--temporary-allocations", "a.bin"], /^heapray: [^\n]*cannot be used with[^\n]*\n$/],
      [["--temporary-allocation-threshold", "3", "a.bin"], /^heapray: [^\n]*cannot be used with[^\n]*\n$/],
    ] as const) {
      const { status, stdout, stderr } = heapray(["flamegraph", "--temporal", "-o", "x.html", ...options], inFolder());
      expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
      expect(stderr).toMatch(sentence);
      expect(existsSync(folder.join("x.html"))).toBe(false);
    }
  });

  test.each(["0", "2", "1.5", "many"])("--max-memory-records %s is refused", (count) => {
    folder.write("a.bin", capture());
    const { status, stderr } = heapray(["flamegraph", "--max-memory-records", count, "a.bin"], inFolder());
    expect(status).toBe(1);
    expect(stderr).toMatch(/^heapray: [^\n]*Give a whole number, 3 or more[^\n]*\n$/);
  });
});

describe("table", () => {
  const tableIn = (file: string) => decodeTable(packedIn(file));

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
        "  3.000kB at the peak, 2 allocations in all",
        "",
        "3.000kB in 2 allocations held at the peak; 100.0% of it on this line:",
        "",
        "    total            <own>          allocations  line",
        "  3.000kB  100.0%  3.000kB  100.0%            2  /srv/app/app.ts:7  load",
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
    expect(stdout).toMatch(
      / 700\.000B +70\.0% +700\.000B +70\.0% +1 +thread libuv-worker, no JavaScript\n +300\.000B +30\.0% +300\.000B +30\.0% +1 +thread main, /,
    );
  });

  test("a reader that stops early is no error", () => {
    folder.write("a.bin", capture());
    const command = `"${process.execPath}" "${cliPath}" summary a.bin | true; echo \${PIPESTATUS[0]}`;
    const { stdout, stderr } = spawnSync("bash", ["-c", command], { cwd: folder.path, encoding: "utf8" });
    expect({ stdout, stderr }).toEqual({ stdout: "0\n", stderr: "" });
  });
});

/** A buffer that is freed at once, one that is freed after three others, and these. */
function captureWithTemporaries(): Uint8Array {
  const writer = new CaptureWriter().thread(1, 4711, "main").switchTo(1);
  const grow = writer.stack("main@/srv/app/app.ts:3", "grow@/srv/app/app.ts:5");
  const wait = writer.stack("main@/srv/app/app.ts:3", "wait@/srv/app/app.ts:6");
  writer.malloc(grow, 1000, 4096).free(4096).malloc(wait, 200, 8192);
  for (let i = 0; i < 3; i++) writer.malloc(grow, 30, 16384 + 64 * i);
  return writer
    .free(8192)
    .trailer(HEADER.startTimeMs + 2500)
    .finish();
}

describe("temporary allocations", () => {
  test.each([
    [["--temporary-allocations"], "1.000kB in 1 allocations"],
    [["--temporary-allocation-threshold=0"], "1.000kB in 1 allocations"],
    [["--temporary-allocation-threshold", "3"], "1.200kB in 2 allocations"],
  ])("summary %j", (options, what) => {
    folder.write("a.bin", captureWithTemporaries());
    const { status, stdout, stderr } = heapray(["summary", ...options, "a.bin"], inFolder());
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toContain(`\n${what} freed soon after they were made; `);
  });

  test("transform csv", () => {
    folder.write("a.bin", captureWithTemporaries());
    const command = ["transform", "csv", "--temporary-allocation-threshold", "3", "-o", "out.csv", "a.bin"];
    expect(heapray(command, inFolder()).status).toBe(0);
    const rows = readFileSync(folder.join("out.csv"), "utf8").trimEnd().split("\r\n").slice(1);
    expect(rows.map((row) => row.split(",").slice(0, 3).join(" "))).toEqual(["MALLOC 1 1000", "MALLOC 1 200"]);
  });

  test("flamegraph, and by thread", () => {
    folder.write("a.bin", captureWithTemporaries());
    const command = ["flamegraph", "--temporary-allocations", "--split-threads", "-o", "out.html", "a.bin"];
    expect(heapray(command, inFolder()).status).toBe(0);
    const page = readFileSync(folder.join("out.html"), "utf8");
    expect(page).toContain("temporary allocations · heapray</title>");
  });

  test.each([
    [["--leaks", "--temporary-allocations"]],
    [["--leaks", "--temporary-allocation-threshold=2"]],
    [["--temporary-allocations", "--temporary-allocation-threshold=2"]],
  ])("%j exclude each other", (options) => {
    folder.write("a.bin", captureWithTemporaries());
    for (const command of [["summary"], ["flamegraph"], ["table"], ["transform", "csv"]]) {
      const { status, stdout, stderr } = heapray([...command, ...options, "a.bin"], inFolder());
      expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
      expect(stderr).toMatch(
        /^heapray: option '--.*' cannot be used with option '--.*'; see "heapray [^\n]+ --help"\.\n$/,
      );
    }
  });

  test.each(["-1", "1.5", "many", ""])("no threshold is %j", (text) => {
    folder.write("a.bin", captureWithTemporaries());
    const { status, stderr } = heapray(["summary", `--temporary-allocation-threshold=${text}`, "a.bin"], inFolder());
    expect(status).toBe(1);
    expect(stderr).toMatch(/^heapray: [^\n]*Give a whole number, 0 or more[^\n]*\n$/);
  });

  test("aggregated captures have none", () => {
    folder.write("a.bin", new CaptureWriter(AGGREGATED_HEADER).totals(0, 0).trailer(0).finish());
    for (const command of [["summary"], ["flamegraph"], ["table"], ["transform", "csv"]]) {
      const { status, stdout, stderr } = heapray([...command, "--temporary-allocations", "a.bin"], inFolder());
      expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
      expect(stderr).toMatch(/^heapray: a\.bin is an aggregated capture, [^\n]+\n$/);
    }
    expect(readdirSync(folder.path)).toEqual(["a.bin"]);
  });
});

describe("stats", () => {
  test("prints totals, sizes and lines, without colours where it is no terminal", () => {
    folder.write("a.bin", capture());
    const { status, stdout, stderr } = heapray(["stats", "a.bin"], {
      ...inFolder(),
      env: { ...process.env, FORCE_COLOR: "1" },
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toMatch(/^node app\.js --fast\n[\s\S]*\nTotal memory allocated +3\.000kB\n[\s\S]* 2 {2}MALLOC\n/);
    expect(stdout).toContain("  3.000kB  /srv/app/app.ts:7  load\n");
    expect(stdout).not.toContain("\x1b");
  });

  test("has colours on a terminal, unless NO_COLOR says no", () => {
    folder.write("a.bin", capture());
    const onTerminal = (env: NodeJS.ProcessEnv) =>
      spawnSync("script", ["-qec", `"${process.execPath}" "${cliPath}" stats a.bin`, "/dev/null"], {
        cwd: folder.path,
        encoding: "utf8",
        env: { ...process.env, TERM: "xterm", NO_COLOR: "", ...env },
        timeout: 20_000,
      }).stdout;
    expect(onTerminal({})).toContain("\x1b[1mAllocator type distribution\x1b[22m");
    expect(onTerminal({ NO_COLOR: "1" })).not.toContain("\x1b");
  });

  test("--json writes a file named as memray names it, or to standard output", () => {
    folder.write("heapray-app.1.bin", capture());
    const { status, stdout, stderr } = heapray(["stats", "--json", "heapray-app.1.bin"], inFolder());
    expect({ status, stdout, stderr }).toEqual({
      status: 0,
      stdout: "Wrote heapray-stats-app.1.bin.json\n",
      stderr: "",
    });
    const json = readFileSync(folder.join("heapray-stats-app.1.bin.json"), "utf8");
    expect(JSON.parse(json)).toMatchObject({ total_num_allocations: 2, total_bytes_allocated: 3000 });
    const piped = heapray(["stats", "--json", "-o", "-", "heapray-app.1.bin"], inFolder());
    expect(piped).toEqual({ status: 0, signal: null, stdout: json, stderr: "" });
    expect(heapray(["stats", "--json", "-n", "1", "-o", "x.json", "heapray-app.1.bin"], inFolder()).stdout).toBe(
      "Wrote x.json\n",
    );
  });

  test.each([
    [
      "a file without --json",
      ["-o", "x.json"],
      /^heapray: the terminal shows the statistics; give --json for a file\.\n$/,
    ],
    ["no locations", ["-n", "0"], /whole number, 1 or more/],
    ["a fraction of a location", ["-n", "1.5"], /whole number, 1 or more/],
  ])("refuses %s", (_, options, sentence) => {
    folder.write("a.bin", capture());
    const { status, stdout, stderr } = heapray(["stats", ...options, "a.bin"], inFolder());
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toMatch(sentence);
    expect(readdirSync(folder.path)).toEqual(["a.bin"]);
  });

  test("refuses an aggregated capture in one sentence", () => {
    folder.write("a.bin", new CaptureWriter(AGGREGATED_HEADER).totals(0, 0).trailer(0).finish());
    const { status, stdout, stderr } = heapray(["stats", "a.bin"], inFolder());
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toMatch(/^heapray: a\.bin is an aggregated capture, which keeps no single allocations; [^\n]+\n$/);
  });
});

describe.each([
  ["flamegraph", ["flamegraph"], "heapray-flamegraph-app.html"],
  ["table", ["table"], "heapray-table-app.html"],
  ["transform csv", ["transform", "csv"], "heapray-csv-app.csv"],
  ["stats", ["stats", "--json"], "heapray-stats-app.bin.json"],
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

describe.each([["flamegraph"], ["table"], ["transform csv"], ["summary"], ["stats"], ["stats --json"]])(
  "%s says in one sentence",
  (name) => {
    const command = name.split(" ");

    test.each([
      ["that a file is missing", () => "missing.bin", /there is no file missing\.bin\.$/],
      ["that it got a folder", () => folder.path, /is a directory/],
      [
        "that a file is foreign",
        () => folder.write("photo.jpg", "\xff\xd8\xff\xe0 not ours ".repeat(99)),
        /photo\.jpg/,
      ],
      ["that a file is empty", () => folder.write("empty.bin", ""), /empty\.bin/],
      ["that a header is cut short", () => folder.write("cut.bin", capture().subarray(0, 40)), /cut\.bin/],
      ["that a capture is damaged", () => folder.write("bad.bin", damagedCapture()), /bad\.bin is damaged at byte \d+/],
    ])("%s", (_, makeFile, sentence) => {
      const { status, stdout, stderr } = heapray([...command, makeFile()], inFolder());
      expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
      expect(stderr).toMatch(/^heapray: [^\n]+\n$/);
      expect(stderr.trimEnd()).toMatch(sentence);
      expect(readdirSync(folder.path).filter((file) => /\.(html|csv|json)$/.test(file))).toEqual([]);
    });
  },
);

describe("help", () => {
  test.each([
    ["heapray", []],
    ["heapray run", ["run"]],
    ["heapray flamegraph", ["flamegraph"]],
    ["heapray table", ["table"]],
    ["heapray transform", ["transform"]],
    ["heapray transform csv", ["transform", "csv"]],
    ["heapray transform pprof", ["transform", "pprof"]],
    ["heapray parse", ["parse"]],
    ["heapray summary", ["summary"]],
    ["heapray stats", ["stats"]],
    ["heapray tree", ["tree"]],
    ["heapray diff", ["diff"]],
  ])("%s --help shows usage and examples", (usage, args) => {
    const { status, stdout, stderr } = heapray([...args, "--help"], inFolder());
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toContain(`Usage: ${usage} `);
    expect(stdout).toMatch(/\nExamples:\n {2}heapray /);
  });

  test("every example of the help is a command that parses", () => {
    for (const name of ["run", "flamegraph", "table", "tree", "transform", "summary", "stats", "diff", "parse"]) {
      const { stdout } = heapray([name, "--help"], inFolder());
      const examples = [...stdout.matchAll(/^ {2}heapray (.*)$/gm)].map(([, rest = ""]) =>
        rest.replace(/'[^']*'/, "1").replace(/ [|>] .*$/, ""),
      );
      expect(examples.length).toBeGreaterThan(0);
      for (const example of examples) {
        // These go on to run something, whatever it is, or look for another file first.
        if (/ (-e|-c|-m|--node-arg|--python)\b/.test(example)) continue;
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

describe("diff", () => {
  /** A run of 100 ms with a snapshot each 20 ms, at each of which 1,000 bytes more are held, times `factor`. */
  function growing(factor: number): Uint8Array {
    const writer = new CaptureWriter();
    const stack = writer.stack("main@/srv/app/app.ts:3", "load@/srv/app/load.ts:7");
    for (let i = 1; i <= 5; i++) writer.malloc(stack, 1000 * factor, 4096 * i).snapshot(20 * i, 2 ** 20);
    return writer.trailer(HEADER.startTimeMs + 100).finish();
  }

  const diff = (...args: string[]) => heapray(["diff", ...args], inFolder());

  beforeEach(() => {
    folder.write("old.bin", growing(1));
    folder.write("new.bin", growing(2));
  });

  test("tells what grew from one capture to another", () => {
    const { status, stdout, stderr } = diff("old.bin", "new.bin");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toContain("new.bin at its peak\n\n  +5.000kB (+100.0%), 0 allocations\n");
    expect(stdout).toMatch(/\+5\.000kB +5\.000kB +10\.000kB +0 {2}load\.ts:7 {2}load\n/);
  });

  test.each([
    [["--from", "40ms", "--to", "0.1"], 2000, 5000],
    [["--from", "30ms", "--to", "end"], 2000, 5000],
    [["--to", "60ms"], 0, 3000],
    [[], 0, 5000],
  ])("compares two moments of one capture: %j", (moments, before, after) => {
    const { status, stdout } = diff("old.bin", ...moments, "--json");
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      before: { bytes: before },
      after: { bytes: after },
      grown_bytes: after - before,
      places: [{ file: "load.ts", line: 7, grown_bytes: after - before }],
    });
  });

  test("compares a moment of one capture with a moment of another", () => {
    const { stdout } = diff("old.bin", "new.bin", "--from", "20ms", "--to", "20ms", "--json");
    expect(JSON.parse(stdout)).toMatchObject({ before: { bytes: 1000 }, after: { bytes: 2000 } });
  });

  test.each([
    ["5%", 1],
    ["99.9%", 1],
    ["100%", 0],
    ["4999", 1],
    ["5kB", 0],
    ["1MB", 0],
  ])("--fail-if-grown %s of 5 kB more than 5 kB: exit code %d", (limit, status) => {
    const ended = diff("old.bin", "new.bin", "--fail-if-grown", limit);
    expect(ended.status).toBe(status);
    expect(ended.stdout).toContain("+5.000kB");
    const sentence = `heapray: memory grew by 5.000kB, more than the ${limit} allowed.\n`;
    expect(ended.stderr).toBe(status === 0 ? "" : sentence);
    expect(diff("new.bin", "old.bin", "--fail-if-grown", "0").status).toBe(0);
  });

  test.each([
    [["old.bin", "--leaks"], /^heapray: --leaks compares the ends of two captures; give a second one\.\n$/],
    [["old.bin", "new.bin", "--leaks", "--from", "1"], /^heapray: --leaks compares the ends, so .*\.\n$/],
    [["old.bin", "--from", "5"], /^heapray: the run lasted 0\.1 s; there is no moment 5 s after its start\.\n$/],
    [
      ["old.bin", "--from", "90ms", "--to", "20ms"],
      /^heapray: --from is after --to; give the earlier moment first\.\n$/,
    ],
    [["old.bin", "--to", "start"], /^heapray: --from and --to are the same moment; give another one\.\n$/],
    [
      ["old.bin", "--to", "noon"],
      /^heapray: .* Give "start", "peak", "end", or a time .*; see "heapray diff --help"\.\n$/,
    ],
    [
      ["old.bin", "new.bin", "--fail-if-grown", "5 apples"],
      /^heapray: .* Give a share or a size: 5%, 10MB, 4096; see .*\n$/,
    ],
    [["old.bin", "none.bin"], /^heapray: there is no file none\.bin\.\n$/],
  ])("refuses %j", (args, sentence) => {
    const { status, stdout, stderr } = diff(...args);
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toMatch(sentence);
  });

  /** The page's data, and the sums of both sides' bytes. */
  function graphIn(file: string) {
    const html = readFileSync(folder.join(file), "utf8");
    const packed = /id="heapray-data">([^<]*)</.exec(html)?.[1] ?? "";
    const data = decodeFlameGraph(gunzipSync(Buffer.from(packed, "base64")));
    const sum = (column: Float64Array = new Float64Array()) => column.reduce((all, bytes) => all + bytes, 0);
    return { html, data, before: sum(data.comparison?.bytes), after: sum(data.weights.bytes) };
  }

  test("--flamegraph writes a page whose sums are both sides'", () => {
    folder.write("heapray-app.1.bin", growing(3));
    const ended = diff("--flamegraph", "old.bin", "heapray-app.1.bin");
    expect(ended).toMatchObject({ status: 0, stdout: "Wrote heapray-diff-old-app.1.html\n", stderr: "" });
    const { html, data, before, after } = graphIn("heapray-diff-old-app.1.html");
    expect([before, after]).toEqual([5000, 15000]);
    expect(data.comparison).toMatchObject({ before: "old.bin at its peak", after: "heapray-app.1.bin at its peak" });
    expect(data.snapshots.timeMs).toHaveLength(0);
    expect(html).toMatch(/<title>[^<]* · difference · heapray<\/title>/);
    expect(diff("--flamegraph", "old.bin", "heapray-app.1.bin").stderr).toMatch(/html exists; give -f to overwrite it/);
    expect(diff("--flamegraph", "-f", "old.bin", "heapray-app.1.bin").status).toBe(0);
  });

  test.each([
    [["--from", "40ms", "--to", "60ms", "old.bin"], 2000, 3000],
    [["--leaks", "old.bin", "new.bin"], 5000, 10000],
    [["--from", "20ms", "--to", "end", "old.bin", "new.bin"], 1000, 10000],
    [["--by", "function", "old.bin", "new.bin"], 5000, 10000],
  ])("--flamegraph goes with %j", (args, before, after) => {
    expect(diff("--flamegraph", "-o", "x.html", ...args)).toMatchObject({ status: 0, stdout: "Wrote x.html\n" });
    const graph = graphIn("x.html");
    expect([graph.before, graph.after]).toEqual([before, after]);
    // Memory over time is that of the one run there is.
    expect(graph.data.snapshots.timeMs.length > 0).toBe(!args.includes("new.bin"));
  });

  test("--flamegraph leaves standard output to --json, and the exit code to --fail-if-grown", () => {
    const args = ["old.bin", "new.bin", "--flamegraph", "-o", "x.html", "--json", "--fail-if-grown", "5%"];
    const { status, stdout, stderr } = diff(...args);
    expect(status).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ grown_bytes: 5000 });
    expect(stderr).toBe("Wrote x.html\nheapray: memory grew by 5.000kB, more than the 5% allowed.\n");
    expect(graphIn("x.html").after).toBe(10000);
  });

  test.each([["-o", "x.html"], ["-f"], ["--confidential-files", "all"]])(
    "%s without --flamegraph is refused in one sentence",
    (...option) => {
      const { status, stdout, stderr } = diff("old.bin", "new.bin", ...option);
      expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
      expect(stderr).toBe(`heapray: ${option[0]} is for the page that --flamegraph makes; give that too.\n`);
    },
  );

  test("--confidential-files all leaves no folder in the page", () => {
    mkdirSync(folder.join("sub"));
    folder.write("sub/new.bin", growing(2));
    expect(diff("--flamegraph", "-o", "x.html", "--confidential-files", "all", "old.bin", "sub/new.bin").status).toBe(
      0,
    );
    const { data } = graphIn("x.html");
    expect(data.strings.filter((text) => text.includes("/"))).toEqual([]);
    expect(data.comparison?.after).toBe("new.bin at its peak");
  });

  test("an aggregated capture has its peak and its end, and no other moments", () => {
    const writer = new CaptureWriter(AGGREGATED_HEADER);
    writer
      .snapshot(5, 2 ** 20, 0)
      .totals(0, 0)
      .trailer(HEADER.startTimeMs + 100);
    folder.write("sums.bin", writer.finish());
    expect(diff("sums.bin", "new.bin").status).toBe(0);
    const { status, stderr } = diff("sums.bin", "--from", "10ms");
    expect(status).toBe(1);
    expect(stderr).toMatch(/^heapray: .* is an aggregated capture, which keeps no single allocations; .*\n$/);
  });
});
