import { spawnSync } from "node:child_process";
import path from "node:path";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { FileReader } from "../../src/analysis/file-reader.js";
import { isPymalloc } from "../../src/capture/allocators.js";
import { root, temporaryFolder } from "../support/heapray.js";
import { pythons, withHeapray } from "../support/pythons.js";

const program = path.join(root, "test/python/programs/allocators.py");
const BLOCKS = 5000;

describe.each(pythons)("Python's own allocators on $name", (python) => {
  let binary = "";
  beforeAll(() => {
    binary = withHeapray(python);
  }, 600_000);

  test.each([
    { when: "fork_inside", recorded: false },
    { when: "tracemalloc_stops_inside", recorded: true },
    { when: "tracemalloc_starts_inside", recorded: true },
    { when: "tracemalloc_stays", recorded: false },
  ])("are recorded where they are asked for, whatever a tracker before left: $when", ({ when, recorded }) => {
    const folder = temporaryFolder();
    onTestFinished(folder.remove);
    const { status, stderr } = spawnSync(binary, [program, folder.path, when], { encoding: "utf8" });
    expect(status, stderr).toBe(0);
    using reader = new FileReader(folder.join("last.bin"));
    let pymalloc = 0;
    let others = 0;
    for (const { allocator } of reader.getAllocationRecords()) {
      if (isPymalloc(allocator)) pymalloc++;
      else others++;
    }
    expect(pymalloc >= BLOCKS, `${pymalloc} of pymalloc's`).toBe(recorded);
    expect(pymalloc > 0).toBe(recorded);
    // What they ask the system for is recorded instead: not always something, but never nothing at all of a process.
    if (!recorded) expect(others).toBeGreaterThan(0);
  });
});
