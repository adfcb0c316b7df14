import { spawnSync } from "node:child_process";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { findPythons } from "../../scripts/pythons.mjs";
import { installed } from "../memray/installed.js";
import { root } from "../support/heapray.js";
import { withHeapray } from "../support/pythons.js";

interface Outcome {
  /** The exception's class and those above it; none where nothing was raised. */
  readonly classes: readonly string[];
  readonly message: string;
}

const SCRIPT = path.join(root, "python", "tests", "mistakes.py");

function mistakes(python: string): Record<string, Outcome> {
  const { status, stdout, stderr } = spawnSync(python, [SCRIPT, "heapray"], { encoding: "utf8" });
  expect(status, stderr).toBe(0);
  return JSON.parse(stdout);
}

// memray has no wheels for the very newest versions at times, and what CPython itself says varies with its version.
const python = findPythons().findLast(({ name }) => name !== "python3.14");
const memray = python && installed("1.20.0", python.name.slice("python".length), python.path);

test("memray is there to compare with", (context) => {
  if (memray === undefined && !process.env.CI) context.skip("memray cannot be installed here");
  expect(memray).toBeDefined();
});

describe.runIf(memray !== undefined)("a program that makes mistakes", { timeout: 600_000 }, () => {
  if (python === undefined || memray === undefined) return;

  test("is told of them by heapray as by memray", () => {
    const expected = JSON.parse(memray.run([SCRIPT, "memray"])) as Record<string, Outcome>;
    const found = mistakes(withHeapray(python));
    expect(Object.keys(found)).toEqual(Object.keys(expected));
    // Whoever catches what memray raises catches this too.
    const uncaught = Object.entries(expected).filter(([name, { classes }]) => {
      const [raised] = classes;
      const ours = found[name]?.classes ?? [];
      return raised === undefined ? ours.length > 0 : !ours.includes(raised);
    });
    expect(uncaught.map(([name]) => [name, expected[name], found[name]])).toEqual([]);
    for (const [name, { classes, message }] of Object.entries(found)) {
      if (classes.length > 0) expect(message, name).toMatch(/^.+$/);
    }
  });

  test("is told of the same, in the words that matter", () => {
    const expected = JSON.parse(memray.run([SCRIPT, "memray"])) as Record<string, Outcome>;
    const found = mistakes(withHeapray(python));
    const words: Record<string, RegExp> = {
      neither: /^Exactly one of '?file_name'? (or|and) '?destination'?/,
      both: /^Exactly one of '?file_name'? (or|and) '?destination'?/,
      exists: /exists.*overwrite=True/s,
      "folder missing": /No such file or directory/,
      "a folder, overwritten": /directory/,
      "unknown argument": /unexpected keyword argument 'nope'/,
      "aggregated to a socket": /AGGREGATED_ALLOCATIONS (requires|needs) an? (output )?file/,
      "children to a socket": /follow_fork (requires|needs) an? (output )?file/,
      "a text as the destination": /SocketDestination/,
      "two trackers": /active/,
      "an exception in the block": /^of the program$/,
    };
    for (const [name, about] of Object.entries(words)) {
      expect(expected[name]?.message, `memray: ${name}`).toMatch(about);
      expect(found[name]?.message, `heapray: ${name}`).toMatch(about);
    }
  });
});
