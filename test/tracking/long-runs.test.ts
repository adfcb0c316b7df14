import { spawnSync } from "node:child_process";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FileReader } from "../../src/analysis/file-reader.js";
import { heapray, node, root, temporaryFolder } from "../support/heapray.js";
import { nodeVersions } from "../support/node-versions.js";
import { program } from "./truth.js";

// Tracking for long, and again and again. test/native/tracker.test.ts does so without Node.js and its noise.

const folder = temporaryFolder();
const addon = folder.join("process-state.node");
beforeAll(() => {
  // Node-API is the same in all versions.
  const include = path.resolve(process.execPath, "../../include/node");
  const flags = ["-shared", "-fPIC", "-O2", "-Wall", "-Werror", "-D_GNU_SOURCE", `-I${include}`];
  const made = spawnSync("gcc", [...flags, "-o", addon, program("process-state.c")], { encoding: "utf8" });
  expect(made.stderr).toBe("");
});
afterAll(() => folder.remove());

interface State {
  readonly memory: { readonly heap: number; readonly rss: number; readonly mappings: number };
}

/** `npm test` runs for long on the newest version alone. */
const versions = process.env.HEAPRAY_NODE_VERSIONS === "all" ? nodeVersions : nodeVersions.slice(-1);

describe.each(versions)("on $name", ({ path: binary }) => {
  test("1,000 starts and stops leave the process as it was", { timeout: 120_000 }, () => {
    const capture = folder.join("starts.bin");
    const args = ["--expose-gc", program("starts.cjs"), path.join(root, "dist/index.cjs"), addon, capture, "1000"];
    // What is bound when it is first called would change the import tables.
    const env = { ...process.env, LD_BIND_NOW: "1" };
    const { status, stdout, stderr } = node(args, { node: binary, env });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const { before, states } = JSON.parse(stdout) as { before: State; states: State[] };
    expect({ ...states.at(-1), memory: 0 }).toEqual({ ...before, memory: 0 });
    // What V8 holds comes and goes by megabytes, tracked or not; what leaks only comes: the least of each half tells.
    const grown = (name: keyof State["memory"]) => {
      const seen = states.map(({ memory }) => memory[name]);
      return Math.min(...seen.slice(3)) - Math.min(...seen.slice(0, 3));
    };
    // V8's own heaps grow by some megabytes as the workers go on, and it frees what compressing took when it likes to.
    expect(grown("heap")).toBeLessThan(4_000_000);
    expect(grown("rss")).toBeLessThan(24_000_000);
    expect(grown("mappings")).toBeLessThan(60);
  });

  test("the tracker's memory does not follow the number of records", { timeout: 120_000 }, () => {
    const MILLIONS = 16;
    const capture = folder.join("long.bin");
    const script = [program("long-run.cjs"), addon, String(MILLIONS)];
    const plain = node(["--expose-gc", ...script], { node: binary });
    const args = ["run", "-q", "-f", "--aggregate", "-o", capture, "--node-arg=--expose-gc", ...script];
    const tracked = heapray(args, { node: binary });
    expect(tracked).toMatchObject({ status: 0, stderr: "" });
    const growth = ({ stdout }: { stdout: string }) => {
      const [first = 0, , , last = 0] = JSON.parse(stdout) as number[];
      return last - first;
    };
    using reader = new FileReader(capture);
    // Each allocation is freed again: twice as many records.
    expect(reader.metadata.totalAllocations).toBeGreaterThan((MILLIONS * 1_000_000) / 3);
    expect(growth(tracked) - growth(plain)).toBeLessThan(2_500_000);
  });
});
