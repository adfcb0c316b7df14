import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import { FileReader } from "../../src/analysis/file-reader.js";
import { MemoryByteSource } from "../../src/capture/byte-source.js";
import { CaptureDecoder } from "../../src/capture/decoder.js";
import { EventBatch } from "../../src/capture/event-batch.js";
import { AllocatorType } from "../../src/capture/wire.js";
import { temporaryFolder } from "../support/heapray.js";
import { SANITIZE, testProgram } from "./test-programs.js";

// The tracker without Node.js: native/test/tracker_driver.cc and long_run_driver.cc.

const folder = temporaryFolder();
afterAll(() => folder.remove());

function run(name: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(testProgram(name), args, { encoding: "utf8", timeout: 110_000 });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  return stdout;
}

/** How often a block is allocated where one is live: its free would be missing, or told too late. */
function allocatedTwice(file: string): number {
  const decoder = new CaptureDecoder(new MemoryByteSource(readFileSync(file)));
  const batch = new EventBatch();
  const live = new Set<number>();
  let twice = 0;
  while (decoder.next(batch)) {
    for (let i = 0; i < batch.length; i++) {
      const address = batch.address[i] as number;
      if (batch.kind[i] === AllocatorType.FREE) live.delete(address);
      else if (batch.kind[i] !== AllocatorType.MALLOC && batch.kind[i] !== AllocatorType.REALLOC) continue;
      else if (live.has(address)) twice++;
      else live.add(address);
    }
  }
  decoder.close();
  return twice;
}

test("many threads at once, while sessions start and stop in both formats", { timeout: 120_000 }, () => {
  const sessions = 12;
  expect(run("tracker_driver", folder.path, "4", String(sessions), "40")).toBe("complete: yes, blocks: whole\n");
  for (let i = 0; i < sessions; i++) {
    using reader = new FileReader(folder.join(`${i}.bin`));
    const { complete, peakMemory, totalAllocations } = reader.metadata;
    expect({ i, complete }).toEqual({ i, complete: true });
    if (i % 2 === 0) expect(allocatedTwice(folder.join(`${i}.bin`))).toBe(0);
    expect(peakMemory).toBeGreaterThan(0);
    expect(totalAllocations).toBeGreaterThan(100);
    let work = 0;
    for (const record of reader.getHighWatermarkAllocationRecords()) {
      const frames = record.stackTrace().map((frame) => `${frame.function}:${frame.line} ${frame.file}`);
      for (const frame of frames)
        expect(frame).toMatch(/^(?:f(\d+)(?:_inlined)?:\1 \/app\/main\.js|queued work:0 <async>)$/u);
      if (frames[0]?.startsWith("queued")) work++;
    }
    expect(work).toBeLessThan(1000);
  }

  using renamed = new FileReader(folder.join(`${2 * sessions}.bin`));
  const names = new Set(Array.from(renamed.getAllocationRecords(), ({ threadName }) => threadName));
  expect([...names]).toEqual(["after"]);
});

const privateMemory: Record<string, number[]> = {};

describe.each(["all", "aggregated"])("the memory of a long run (%s)", (format) => {
  test("does not follow its length", { timeout: 120_000 }, () => {
    const records = SANITIZE === "" ? 20_000_000 : 2_000_000;
    const lines = run("long_run_driver", String(records), format).trim().split("\n");
    const inUse = lines.map((line) => Number(line.split(" ")[0]));
    privateMemory[format] = lines.map((line) => Number(line.split(" ")[1]));
    expect(inUse).toHaveLength(4);
    // Sanitizers have an allocator of their own, which does not tell.
    if (SANITIZE !== "") return;
    const [first = 0, second = 0, third = 0, last = 0] = inUse;
    expect(Math.max(third, last)).toBeLessThan(Math.max(first, second) + 500_000);
    expect(last).toBeLessThan(8_000_000);
    if (format === "all") return;
    // The sums are not in the heap: what they take of the process's memory, whatever the stacks need by the way.
    const sums = privateMemory.aggregated?.map((bytes, quarter) => bytes - (privateMemory.all?.[quarter] ?? 0));
    for (const bytes of sums ?? [Number.NaN]) expect(bytes).toBeLessThan(2_500_000);
  });
});
