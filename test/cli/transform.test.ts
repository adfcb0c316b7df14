import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { DuckDBInstance } from "@duckdb/node-api";
import { parse } from "csv-parse/sync";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { FileReader } from "../../src/analysis/file-reader.js";
import { CaptureWriter } from "../support/capture-writer.js";
import { FORMAT_SUMS, formatCapture } from "../support/format-capture.js";
import { cliPath, type Folder, heapray, temporaryFolder } from "../support/heapray.js";
import { decodeProfile } from "../support/profile-proto.js";
import { STACK_FILES, totalOf } from "../support/stack-files.js";

/** What `transform <format>` calls its files. */
const SUFFIXES = {
  csv: ".csv",
  gprof2dot: ".json",
  speedscope: ".speedscope.json",
  pprof: ".pb.gz",
  collapsed: ".collapsed",
  heapprofile: ".heapprofile",
  parquet: ".parquet",
} as const;
type Format = keyof typeof SUFFIXES;
const formats = Object.keys(SUFFIXES) as Format[];

/** Holds 30 Buffers at the peak, of which 10 at the end; and has a thread of its own. */
const PROGRAM = `
const { Worker } = require("node:worker_threads");
const held = [];
function hold(count) { for (let i = 0; i < count; i++) held.push(Buffer.allocUnsafeSlow(1_000_000 + i)); }
new Worker("globalThis.held = Buffer.allocUnsafeSlow(3_000_000)", { eval: true }).on("exit", () => {
  hold(30);
  held.length = 10;
  globalThis.gc();
  setTimeout(() => {}, 50);
});
`;

let folder: Folder;
beforeAll(() => {
  folder = temporaryFolder();
  folder.write("holds.cjs", PROGRAM);
});
afterAll(() => folder.remove());

async function total(format: Format, file: string): Promise<number> {
  switch (format) {
    case "csv": {
      const rows: { size: string }[] = parse(readFileSync(file), { columns: true });
      return rows.reduce((sum, { size }) => sum + Number(size), 0);
    }
    case "pprof": {
      const { sampleTypes, samples } = decodeProfile(readFileSync(file));
      const index = sampleTypes.indexOf("inuse_space/bytes");
      return samples.reduce((sum, { values }) => sum + (values[index] as number), 0);
    }
    case "parquet": {
      const database = await DuckDBInstance.create(":memory:");
      const connection = await database.connect();
      const reader = await connection.runAndReadAll(`SELECT sum(size)::VARCHAR FROM '${file}'`);
      connection.closeSync();
      database.closeSync();
      return Number(reader.getRowsJson()[0]?.[0]);
    }
    default:
      return totalOf(STACK_FILES[format](readFileSync(file, "utf8")));
  }
}

describe.each<[string, string, string[], Format[]]>([
  ["of every allocation", "all.bin", [], formats],
  // Each look at the modules takes a while.
  ["of every allocation, not compressed, with native frames", "native.bin", ["--native", "--no-compress"], ["pprof"]],
  ["that is aggregated", "aggregated.bin", ["--aggregate"], formats],
])("of a real capture %s", (_, name, flags, ofThese) => {
  let capture: string;
  let peak: number;
  let leaks: number;
  let reader: FileReader;
  beforeAll(() => {
    capture = folder.join(name);
    const run = ["run", "-q", "-o", name, ...flags, "--node-arg=--expose-gc", "holds.cjs"];
    expect(heapray(run, { cwd: folder.path })).toMatchObject({ status: 0, stderr: "" });
    reader = new FileReader(capture);
    peak = reader.metadata.peakMemory;
    leaks = [...reader.getLeakedAllocationRecords()].reduce((sum, { size }) => sum + size, 0);
  });
  afterAll(() => reader.close());

  test("the peak and the end are not the same", () => {
    expect(peak).toBeGreaterThan(30 * 1_000_000);
    expect(leaks).toBeLessThan(peak - 15 * 1_000_000);
    expect(leaks).toBeGreaterThan(10 * 1_000_000);
  });

  test.each(ofThese)("%s holds all bytes of the peak, and with --leaks those of the end", async (format) => {
    const file = folder.join(`${name}${SUFFIXES[format]}`);
    expect(heapray(["transform", format, "-f", "-o", file, capture])).toMatchObject({ status: 0, stderr: "" });
    expect(await total(format, file)).toBe(peak);
    if (format === "pprof") {
      // All allocations where the capture tells them.
      const { sampleTypes, samples } = decodeProfile(readFileSync(file));
      const allocations = samples.reduce((sum, { values }) => sum + (values[0] as number), 0);
      if (name === "aggregated.bin") expect(sampleTypes).toEqual(["inuse_objects/count", "inuse_space/bytes"]);
      else expect(allocations).toBe(reader.metadata.totalAllocations);
    }
    if (name !== "all.bin") return;
    const ofLeaks = folder.join(`leaks${SUFFIXES[format]}`);
    expect(heapray(["transform", format, "--leaks", "-f", "-o", ofLeaks, capture])).toMatchObject({ status: 0 });
    expect(await total(format, ofLeaks)).toBe(leaks);
  });

  test("the program's line has its bytes", () => {
    if (name === "native.bin") return;
    const line = `hold (${folder.join("holds.cjs")}:4)`;
    const file = readFileSync(folder.join(`${name}.collapsed`), "utf8");
    const held = STACK_FILES.collapsed(file).filter(([stack]) => stack.includes(line));
    const exact = Array.from({ length: 30 }, (__, i) => 1_000_000 + i).reduce((a, b) => a + b, 0);
    expect(totalOf(held)).toBeGreaterThanOrEqual(exact);
    expect(totalOf(held)).toBeLessThan(exact * 1.02);
  });
});

describe("transform", () => {
  let place: Folder;
  beforeEach(() => {
    place = temporaryFolder();
    place.write("heapray-app.1.bin", formatCapture());
    return () => place.remove();
  });
  const inPlace = () => ({ cwd: place.path });
  const transform = (format: string, ...args: string[]) => heapray(["transform", format, ...args], inPlace());
  const files = (): string[] =>
    readdirSync(place.path)
      .filter((file) => !file.endsWith(".bin"))
      .sort();

  test.each(formats)("%s writes beside the capture, under memray's kind of name", async (format) => {
    const { status, stdout, stderr } = transform(format, "heapray-app.1.bin");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const file = `heapray-${format}-app.1${SUFFIXES[format]}`;
    const written = format === "parquet" ? [file, "heapray-parquet-app.1.snapshots.parquet"] : [file];
    expect(stdout).toMatch(new RegExp(`^Wrote ${written.join(" and ").replaceAll(".", "\\.")}\n`));
    expect(files()).toEqual(written);
    expect(await total(format, place.join(file))).toBe(FORMAT_SUMS.peak);
  });

  test("parquet refuses to overwrite either file, and then writes neither", () => {
    place.write("t.snapshots.parquet", "precious");
    const refused = transform("parquet", "-o", "t.parquet", "heapray-app.1.bin");
    expect(refused).toMatchObject({ status: 1, stdout: "" });
    expect(refused.stderr).toBe(
      "heapray: t.snapshots.parquet exists; give -f to overwrite it, or another name with -o.\n",
    );
    expect(files()).toEqual(["t.snapshots.parquet"]);
    expect(transform("parquet", "-f", "-o", "t.parquet", "heapray-app.1.bin").status).toBe(0);
    expect(files()).toEqual(["t.parquet", "t.snapshots.parquet"]);
    expect(statSync(place.join("t.snapshots.parquet")).size).toBeGreaterThan(100);
  });

  test("a name with another suffix keeps it", () => {
    expect(transform("parquet", "-o", "table", "heapray-app.1.bin").status).toBe(0);
    expect(files()).toEqual(["table", "table.snapshots.parquet"]);
  });

  test.each(["pprof", "collapsed", "parquet"])("%s leaves nothing behind of a damaged capture", (format) => {
    // A stack that nobody defined.
    place.write("bad.bin", new CaptureWriter().malloc(0, 1000, 0x1000).malloc(9, 1000, 0x2000).finish());
    const { status, stdout, stderr } = transform(format, "bad.bin");
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toMatch(/^heapray: bad\.bin is damaged at byte \d+: [^\n]+\n$/);
    expect(files()).toEqual([]);
  });
});

describe("parse", () => {
  test("prints every record, of every kind of capture", () => {
    for (const name of ["all.bin", "native.bin", "aggregated.bin"]) {
      const { status, stdout, stderr } = heapray(["parse", name], { cwd: folder.path });
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
      expect(stdout).toMatch(/^HEADER version=\d /);
      expect(stdout).toMatch(/\nTRAILER end_time=\S+ reason="exit"\n$/);
      const count = (record: string) => stdout.split("\n").filter((line) => line.startsWith(`${record} `)).length;
      expect(count("LOCATION") > 0).toBe(name === "aggregated.bin");
      expect(count("MALLOC") > 0).toBe(name !== "aggregated.bin");
      expect(count("NATIVE_FRAME") > 0).toBe(name === "native.bin");
    }
  });

  test("does not flood a terminal", () => {
    const script = `
import os, pty, sys
pid, terminal = pty.fork()
if pid == 0: os.execv(sys.argv[1], sys.argv[1:])
text = b""
while True:
    try: piece = os.read(terminal, 4096)
    except OSError: break
    if not piece: break
    text += piece
sys.stdout.buffer.write(text)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`;
    const ended = terminal(script, folder.join("all.bin"));
    expect(ended.status).toBe(1);
    expect(ended.stdout).toMatch(
      /^heapray: standard output is a terminal, .*: heapray parse \S+all\.bin \| less\.\r\n$/,
    );
  });

  test("ends where nobody reads any more", () => {
    const command = `"${process.execPath}" "${cliPath}" parse all.bin | head -n 1; echo \${PIPESTATUS[0]}`;
    const { stdout, stderr } = spawnSync("bash", ["-c", command], { cwd: folder.path, encoding: "utf8" });
    expect(stdout).toMatch(/^HEADER [^\n]*\n0\n$/);
    expect(stderr).toBe("");
  });

  test("says in one sentence what is wrong", () => {
    folder.write("photo.jpg", "\xff\xd8 not ours");
    for (const [file, sentence] of [
      ["missing.bin", /there is no file missing\.bin\.\n$/],
      ["photo.jpg", /photo\.jpg is not a heapray capture/],
    ] as const) {
      const { status, stdout, stderr } = heapray(["parse", file], { cwd: folder.path });
      expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
      expect(stderr).toMatch(sentence);
    }
  });
});

/** Runs `heapray parse` in a terminal, which the script makes. */
function terminal(script: string, capture: string) {
  const args = ["-c", script, process.execPath, cliPath, "parse", capture];
  return spawnSync("python3", args, { encoding: "utf8", timeout: 60_000 });
}
