import { spawnSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FORMAT_SUMS, formatCapture } from "../support/format-capture.js";
import { type Folder, heapray, temporaryFolder } from "../support/heapray.js";

/** Each format read by the program that it is for. Those that are not installed are skipped, which the report shows. */

let folder: Folder;
beforeAll(() => {
  folder = temporaryFolder();
  folder.write("app.bin", formatCapture());
  for (const [format, file] of [
    ["pprof", "app.pb.gz"],
    ["gprof2dot", "app.json"],
    ["collapsed", "app.collapsed"],
  ] as const) {
    expect(heapray(["transform", format, "-o", file, "app.bin"], { cwd: folder.path }).status).toBe(0);
  }
});
afterAll(() => folder.remove());

function run(command: string, ...args: string[]) {
  // Asks no network for a toolchain, and leaves nothing in the home folder.
  const env = { ...process.env, GOTOOLCHAIN: "local", GOFLAGS: "-mod=mod", PPROF_TMPDIR: folder?.path ?? "/nowhere" };
  return spawnSync(command, args, { cwd: folder?.path, env, encoding: "utf8", timeout: 50_000 });
}

const there = (command: string, ...args: string[]): boolean => run(command, ...args).status === 0;

const GO_TOOL = ["tool", "pprof"];
const hasGo = there("go", "tool", "-n", "pprof");

describe.skipIf(!hasGo)("go tool pprof", () => {
  const top = (...args: string[]): string => {
    const { status, stdout, stderr } = run(
      "go",
      ...GO_TOOL,
      "-top",
      "-nodefraction=0",
      "-unit=B",
      ...args,
      "app.pb.gz",
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    return stdout;
  };

  test("-top shows what was held at the peak, of all of it", () => {
    const text = top();
    // Six lines of head and six of functions, whatever their names are.
    expect(text.trimEnd().split("\n")).toHaveLength(14);
    expect(text).toContain("File: node\n");
    expect(text).toContain("Type: inuse_space\n");
    expect(text).toMatch(new RegExp(`Total samples = ${FORMAT_SUMS.peak}B`));
    expect(text).toMatch(/ 5000B 31\.85% \S+ +5000B 31\.85% +deflateInit2_\n/);
    expect(text).toMatch(/ 604B +3\.85% +\S+ +604B +3\.85% +thread V8Worker, no JavaScript\n/);
  });

  test("-sample_index=alloc_space shows all allocations, -lines their lines", () => {
    const text = top("-sample_index=alloc_space", "-lines");
    expect(text).toMatch(new RegExp(`Total samples = ${FORMAT_SUMS.all}B`));
    expect(text).toMatch(/ 3000B 19\.07% .* load \/srv\/app\/app\.ts:8\n/);
  });

  test("-tagfocus chooses a thread", () => {
    expect(top("-tagfocus=thread=V8Worker")).toMatch(/accounting for 604B/);
  });
});

const GPROF2DOT = there("gprof2dot", "--help") ? ["gprof2dot"] : ["python3", "-m", "gprof2dot"];
const [gprof2dot = "", ...first] = GPROF2DOT;

describe.skipIf(!there(gprof2dot, ...first, "--help"))("gprof2dot", () => {
  test("makes a graph of the peak", () => {
    const { status, stdout } = run(gprof2dot, ...first, "-f", "json", "-n", "0", "-e", "0", "app.json");
    expect(status).toBe(0);
    // main has all but what no JavaScript asked for.
    const share = (100 * (FORMAT_SUMS.peak - 604)) / FORMAT_SUMS.peak;
    expect(stdout).toContain(`main\\n${share.toFixed(2)}%\\n(0.00%)`);
    expect(stdout).toContain("deflateInit2_\\n31.85%\\n(31.85%)");
  });
});

describe.skipIf(!there("flamegraph.pl", "--help"))("flamegraph.pl", () => {
  test("draws the collapsed stacks", () => {
    const { status, stdout } = run("flamegraph.pl", "--countname=bytes", "app.collapsed");
    expect(status).toBe(0);
    expect(stdout).toContain("deflateInit2_ (/usr/lib/libz.so.1) (5,000 bytes, 31.85%)");
  });
});
