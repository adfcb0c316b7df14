import { spawnSync } from "node:child_process";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { findPythons } from "../../scripts/pythons.mjs";
import { FileReader } from "../../src/analysis/file-reader.js";
import { root, temporaryFolder } from "../support/heapray.js";
import { withHeapray } from "../support/pythons.js";

const program = path.join(root, "test/python/programs/subinterpreters.py");
/** The newest; from 3.12 on, such interpreters have a GIL of their own. */
const python = findPythons().at(-1);
const isOwnGil = python !== undefined && Number(python.name.split(".")[1]) >= 13;

test.runIf(isOwnGil)("subinterpreters' frames are their own", { timeout: 600_000 }, () => {
  if (python === undefined) return;
  const folder = temporaryFolder();
  onTestFinished(folder.remove);
  const run = spawnSync(withHeapray(python), [program, folder.join("out.bin")], { encoding: "utf8", timeout: 60_000 });
  expect(run.status, run.stderr).toBe(0);
  expect(run.stdout).toBe(
    "heapray is loaded by the main interpreter only, and records what all of them do: import it there.\n",
  );
  using reader = new FileReader(folder.join("out.bin"));
  const made = new Map<string, number>();
  for (const record of reader.getAllocationRecords()) {
    // A bytearray's memory has a zero at its end.
    if (record.size !== 1_200_004 && record.size !== 1_300_008) continue;
    const stack = record.stackTrace().map((frame) => frame.function);
    const place = `${record.size}: ${stack.join(" < ")}`;
    made.set(place, (made.get(place) ?? 0) + record.nAllocations);
  }
  expect(Object.fromEntries(made)).toEqual({
    "1200004: inner < outer < <module>": 3,
    "1300008: inner < outer < numbers < <module>": 3,
  });
});
