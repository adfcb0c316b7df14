import { execFileSync } from "node:child_process";
import { realpathSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FileReader } from "../../src/analysis/file-reader.js";
import { type Folder, heapray, temporaryFolder } from "../support/heapray.js";
import { nodeVersions } from "../support/node-versions.js";
import { program } from "./truth.js";

// Native frames, whatever the native code was compiled with.

const WITHOUT_TABLES = ["-fomit-frame-pointer", "-fno-asynchronous-unwind-tables", "-fno-unwind-tables"];
const compiled: Record<string, string[]> = {
  "with frame pointers": ["-O2", "-fno-omit-frame-pointer"],
  "without frame pointers": ["-O2", "-fomit-frame-pointer"],
  "without unwind tables": ["-O2", ...WITHOUT_TABLES],
  "without unwind tables, for size": ["-Os", ...WITHOUT_TABLES],
};

let folder: Folder;
beforeAll(() => {
  folder = temporaryFolder();
  const headers = path.resolve(realpathSync(process.execPath), "../../include/node");
  for (const [name, flags] of Object.entries(compiled)) {
    const all = ["-shared", "-fPIC", "-Wall", "-Werror", ...flags, `-I${headers}`];
    execFileSync("gcc", [...all, "-o", folder.join(`${name}.node`), program("native-frames.c")]);
  }
});
afterAll(() => folder.remove());

/** What every block was allocated through, innermost first. */
const CHAIN = [
  "innermost",
  "plain",
  "many_registers",
  "large_frame",
  "variable_frame",
  "aligned_frame",
  "many_exits",
  "indirect",
];
/** Functions of the addon and of the script; what lies between is Node.js's. */
const OWN = new Set([...CHAIN, "calls_back", "thread_body", "pool_body", "first", "second", "third", "again"]);

/** The own functions on the stacks of the blocks of these sizes, and the outermost function of each. */
function stacksOf(capture: string, sizes: readonly number[]): Map<number, [own: string[], outermost: string][]> {
  const stacks = new Map<number, [string[], string][]>(sizes.map((size) => [size, []]));
  using reader = new FileReader(capture);
  for (const record of reader.getAllocationRecords()) {
    const names = stacks.has(record.size) ? record.stackTrace().map((frame) => frame.function) : [];
    const own = names.filter((name) => OWN.has(name) || name.startsWith("queued work"));
    stacks.get(record.size)?.push([own, names.at(-1) ?? ""]);
  }
  return stacks;
}

describe.each(nodeVersions)("on $name", ({ path: binary }) => {
  test.each(Object.keys(compiled))("an addon %s", (name) => {
    const capture = folder.join("capture.bin");
    const script = program("native-frames.cjs");
    const flags = ["run", "-q", "-f", "--native", "-o", capture];
    const ended = heapray([...flags, script, folder.join(`${name}.node`)], { node: binary });
    expect(ended).toEqual({ status: 0, signal: null, stdout: "", stderr: "" });
    const sizes = [1, 2, 3, 4, 5, 6, 7].map((n) => 900_000 + n);
    const main = (...own: string[]) => [[...CHAIN, ...own], "_start"];
    expect(stacksOf(capture, sizes)).toEqual(
      new Map([
        [900_001, [main("first"), main("first", "calls_back", "again")]],
        [900_002, [main("calls_back", "second"), main("calls_back", "second", "calls_back", "again")]],
        [
          900_003,
          [main("third", "calls_back", "second"), main("third", "calls_back", "second", "calls_back", "again")],
        ],
        [900_004, [main("calls_back", "again")]],
        [900_005, [main("calls_back", "again")]],
        [900_006, [[[...CHAIN, "thread_body"], expect.any(String)]]],
        [900_007, [main("pool_body", "queued work (native-frames)")]],
      ]),
    );
  });

  test("none unless asked for", () => {
    const capture = folder.join("plain.bin");
    const args = ["run", "-q", "-f", "-o", capture, program("native-frames.cjs")];
    heapray([...args, folder.join("without frame pointers.node")], { node: binary });
    expect(stacksOf(capture, [900_001])).toEqual(
      new Map([
        [
          900_001,
          [
            [["first"], "<module>"],
            [["first", "again"], "<module>"],
          ],
        ],
      ]),
    );
  });
});
