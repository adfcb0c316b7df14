import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { FileReader } from "../../src/analysis/file-reader.js";
import { AllocatorType } from "../../src/capture/wire.js";
import { root, temporaryFolder } from "../support/heapray.js";
import { pythons, withHeapray } from "../support/pythons.js";

const program = path.join(root, "test/python/programs/stacks.py");

/** Function, file and line, innermost first. */
type Stack = readonly (readonly [string, string, number])[];

/** The stacks on which the program says it made the blocks of each size. */
function truths(file: string): Map<number, Stack> {
  const parsed: Record<string, Stack> = JSON.parse(readFileSync(file, "utf8"));
  return new Map(Object.entries(parsed).map(([size, stack]) => [Number(size), stack]));
}

/** What the capture says of blocks of these sizes, without native frames. */
function recorded(capture: string, sizes: ReadonlySet<number>, native: boolean): Map<number, Stack[]> {
  using reader = new FileReader(capture);
  const stacks = new Map<number, Stack[]>();
  for (const record of reader.getAllocationRecords()) {
    if (!sizes.has(record.size)) continue;
    const frames = record.stackTrace().filter((frame) => !native || isPython(frame.file));
    const stack = frames.map((frame) => [frame.function, frame.file, frame.line] as const);
    stacks.set(record.size, [...(stacks.get(record.size) ?? []), stack]);
  }
  return stacks;
}

const isPython = (file: string) => file.endsWith(".py") || /^<(?!inlined)/.test(file);

describe.each(pythons)("on $name", (python) => {
  let binary = "";
  beforeAll(() => {
    binary = withHeapray(python);
  }, 600_000);

  test.each(["", "native", "python-allocators", "native python-allocators"])(
    "every stack is what the program says it is: %s",
    { timeout: 120_000 },
    (words) => {
      const options = words.split(" ").filter(Boolean);
      const folder = temporaryFolder();
      onTestFinished(folder.remove);
      const [capture, truth] = [folder.join("stacks.bin"), folder.join("truth.json")];
      const { status, stderr } = spawnSync(binary, [program, capture, truth, ...options], {
        encoding: "utf8",
      });
      expect(status, stderr).toBe(0);
      const expected = truths(truth);
      expect(expected.size).toBeGreaterThan(1000);
      const found = recorded(capture, new Set(expected.keys()), options.includes("native"));
      for (const [size, stack] of expected) expect(found.get(size)).toEqual([stack]);
    },
  );

  test("native frames stand between the Python frames that call each other through them", { timeout: 120_000 }, () => {
    const folder = temporaryFolder();
    onTestFinished(folder.remove);
    const [capture, truth] = [folder.join("stacks.bin"), folder.join("truth.json")];
    expect(spawnSync(binary, [program, capture, truth, "native"]).status).toBe(0);
    const sizes = truths(truth);
    using reader = new FileReader(capture);
    const between = { "<lambda> callbacks": new Set<boolean>(), "deep deep": new Set<boolean>() };
    for (const record of reader.getAllocationRecords()) {
      if (!sizes.has(record.size)) continue;
      const frames = record.stackTrace();
      const names = frames.map(({ function: name, file }) => (isPython(file) ? name : ""));
      // The allocator within, and what started Python or its thread, around.
      expect([names[0], names.at(-1)]).toEqual(["", ""]);
      const isOfPython = names.flatMap((name, i) => (name === "" ? [] : [i]));
      for (const [i, at] of isOfPython.entries()) {
        const outer = isOfPython[i + 1] ?? at;
        const pair = `${names[at]} ${names[outer]}`;
        if (outer > at && pair in between) between[pair as keyof typeof between].add(outer - at > 1);
      }
    }
    expect(between["<lambda> callbacks"]).toEqual(new Set([true]));
    // Since 3.11 the interpreter calls Python's functions without a call of its own.
    expect(between["deep deep"]).toEqual(new Set([Number(python.name.slice("python3.".length)) < 11]));
  });

  test("threads bear the names that the program gave them", { timeout: 120_000 }, () => {
    const folder = temporaryFolder();
    onTestFinished(folder.remove);
    const [capture, truth] = [folder.join("stacks.bin"), folder.join("truth.json")];
    expect(spawnSync(binary, [program, capture, truth]).status).toBe(0);
    using reader = new FileReader(capture);
    const names = new Set<string>();
    for (const record of reader.getAllocationRecords()) {
      if (record.allocator === AllocatorType.MALLOC && record.size > 1_000_000) names.add(record.threadName);
    }
    expect([...names].sort()).toEqual(["MainThread", "thread 0", "thread 1", "thread 2", "thread 3"]);
  });
});
