import { spawn, spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type Folder, node, root, temporaryFolder } from "../support/heapray.js";

const bench = `${root}/bench/bench.mjs`;
let folder: Folder;

beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.remove());

it("measures a program, and leaves a table and every figure", () => {
  const args = ["recording", "hashing", "--way", "tracked", "--short", "--pairs", "2", "--out", folder.path];
  const { status, stdout, stderr } = node([bench, ...args]);
  expect(stderr).toContain("every allocation ...");
  expect(status).toBe(0);
  const table = readFileSync(folder.join("recording-hashing-short.md"), "utf8");
  expect(table).toMatch(/^\| every allocation \| untracked \| \d+\.\d\d \(/m);
  expect(stdout).toContain(table.trim());
  const { results, node: version } = JSON.parse(readFileSync(folder.join("recording-hashing-short.json"), "utf8"));
  expect(version).toBe(process.versions.node);
  const [{ name, runs, work }] = results[0].figures;
  expect(name).toBe("tracked");
  expect(runs).toHaveLength(2);
  for (const { a, b } of runs) {
    for (const run of [a, b]) expect(run.wallMs).toBeGreaterThan(run.workMs);
  }
  expect(work.median).toBeGreaterThan(0);
});

it("understands every byte of a real capture", () => {
  const { status } = node([bench, "size", "loop", "--short", "--out", folder.path]);
  expect(status).toBe(0);
  const { results } = JSON.parse(readFileSync(folder.join("size-loop-short.json"), "utf8"));
  const { records, nodes, uncompressed, compressed, shares } = results[0].figures;
  // 200,000 iterations of some allocations each, freed again, in one place.
  expect(records).toBeGreaterThan(800_000);
  expect(nodes).toBeGreaterThan(20);
  expect(nodes).toBeLessThan(10_000);
  const bytes = shares.reduce((sum: number, share: { bytes: number }) => sum + share.bytes, 0);
  expect(uncompressed - bytes).toBeGreaterThan(100);
  expect(uncompressed - bytes).toBeLessThan(2000);
  expect(compressed).toBeLessThan(uncompressed);
});

it("leaves out a peer that is not installed, and says so", () => {
  const args = [bench, "recording", "loop", "--way", "heaptrack", "--short", "--out", folder.path];
  const { status, stdout } = spawnSync(process.execPath, args, { encoding: "utf8", env: { PATH: "/nowhere" } });
  expect(status).toBe(0);
  expect(stdout).toContain("heaptrack is not installed, and left out.");
  expect(stdout).not.toContain("| heaptrack");
});

it("refuses what it does not know, in one sentence", () => {
  const { status, stdout, stderr } = node([bench, "speed", "--out", folder.path]);
  expect([status, stdout]).toEqual([1, ""]);
  expect(stderr).toMatch(/^there is no benchmark speed; [^\n]*\n$/);
});

it("fails where a program fails", () => {
  const broken = folder.write("node", "#!/bin/sh\nexit 7\n");
  spawnSync("chmod", ["+x", broken]);
  const { status, stderr } = node([bench, "recording", "loop", "--short", "--node", broken, "--out", folder.path]);
  expect(status).toBe(1);
  expect(stderr).toMatch(/bench: .*allocation-loop\.cjs: 7/);
});

it("ends at a signal, with all that it started and made", async () => {
  const args = [bench, "recording", "server", "--short", "--out", folder.join("out")];
  const child = spawn(process.execPath, args, { env: { ...process.env, TMPDIR: folder.path } });
  const ended = new Promise((resolve) => child.once("close", resolve));
  // The benchmark, both servers, and heapray around one of them.
  await expect.poll(() => processesOf(folder.path).length, { timeout: 20_000 }).toBeGreaterThan(3);
  child.kill("SIGTERM");
  expect(await ended).toBe(128 + 15);
  await expect.poll(() => processesOf(folder.path)).toEqual([]);
  expect(readdirSync(folder.path)).toEqual(["out"]);
});

/** Processes that have a folder in their arguments or in their environment. */
function processesOf(path: string): string[] {
  return readdirSync("/proc").filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    const text = ["cmdline", "environ"].map((file) => readProcessFile(`/proc/${pid}/${file}`));
    return text.some((content) => content.includes(path));
  });
}

function readProcessFile(file: string): string {
  try {
    return readFileSync(file, "latin1");
  } catch {
    // It has ended, or is another's.
    return "";
  }
}
