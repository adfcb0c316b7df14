import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FileReader } from "../../src/analysis/file-reader.js";
import { heapray, temporaryFolder } from "../support/heapray.js";
import { nodeVersions } from "../support/node-versions.js";
import { program } from "./truth.js";

// What an addon queues for the pool belongs to the line that queued it.
describe.each(nodeVersions)("work queued for the pool on $name", ({ path: node }) => {
  const folder = temporaryFolder();
  const addon = folder.join("pool-work.node");

  beforeAll(() => {
    const include = path.resolve(node, "../../include/node");
    const flags = ["-shared", "-fPIC", "-O2", "-fomit-frame-pointer", "-Wall", "-Werror", `-I${include}`];
    const made = spawnSync("gcc", [...flags, "-o", addon, program("pool-work.c")], { encoding: "utf8" });
    expect(made.stderr).toBe("");
  });
  afterAll(() => folder.remove());

  it("carries the stack of the queueing call, marked as work of its own", () => {
    const capture = folder.join("pool.bin");
    const script = program("pool-work.cjs");
    const ended = heapray(["run", "-q", "-f", "-o", capture, script, addon], { node });
    expect(ended).toEqual({ status: 0, signal: null, stdout: "", stderr: "" });

    const lines = readFileSync(script, "utf8").split("\n");
    const lineOf = (size: number) => lines.findIndex((line) => line.includes(`@${size}`)) + 1;
    using reader = new FileReader(capture);
    const found = new Map<number, string[]>();
    for (const record of reader.getLeakedAllocationRecords({ mergeThreads: false })) {
      if (record.size < 500_001 || record.size > 500_005) continue;
      const [marker, caller] = record.stackTrace();
      const mainThread = /MainThread$/u.test(record.threadName);
      expect(mainThread).toBe(false);
      found.set(record.size, [
        `${marker?.function} ${marker?.file}`,
        `${caller?.function} ${caller?.file === script ? caller.line : caller?.file}`,
      ]);
    }
    expect(found).toEqual(
      new Map([
        [500_001, ["queued work (pool-work) <async>", `viaNodeApi ${lineOf(500_001)}`]],
        [500_002, ["queued work (pool-work) <async>", `viaNodeApi ${lineOf(500_002)}`]],
        [500_003, ["queued work <async>", `viaLibuv ${lineOf(500_003)}`]],
        [500_004, ["queued work (pool-work) <async>", `later ${lineOf(500_004)}`]],
        [500_005, ["queued work <async>", `<anonymous> ${lineOf(500_005)}`]],
      ]),
    );
  });

  it("leaves the work as it is when tracking stops in between", () => {
    const capture = folder.join("stopped.bin");
    const text = `
      const { Tracker } = require(${JSON.stringify(path.resolve("dist/index.cjs"))});
      const { queue, queueUv } = require(${JSON.stringify(addon)});
      const tracker = new Tracker(${JSON.stringify(capture)});
      for (let i = 0; i < 20; i++) { queue(1000 + i); queueUv(2000 + i); }
      tracker.stop();
      process.on("exit", () => console.log("done"));`;
    const ended = spawnSync(node, ["-e", text], { encoding: "utf8", timeout: 30_000 });
    expect([ended.status, ended.stdout, ended.stderr]).toEqual([0, "done\n", ""]);
  });
});
