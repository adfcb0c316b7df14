/**
 * The same programs under memray and under heapray: both record the same. docs/python.md tells why memray records more
 * where it does: it has CPython report each call to it, and heapray does not.
 */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { environment } from "../../../bench/python/environment.mjs";
import { testedPythons } from "../../../scripts/pythons.mjs";
import { type Folder, temporaryFolder } from "../../support/heapray.js";
import { type Figures, heaprayFigures, memrayFigures } from "./figures.js";
import { byAllocator, byPlace, ofProgram, withLinesOf, withoutOwnFrame } from "./places.js";

const here = path.dirname(fileURLToPath(import.meta.url));
const programs = readdirSync(path.join(here, "programs"))
  .filter((name) => name.endsWith(".py"))
  .map((name) => path.basename(name, ".py"));
const lists = ["highWaterMark", "leaked", "temporary"] as const;
const INSTALL_MS = 600_000;

/** Until then, frames were objects whether somebody wanted to see them or not. */
const FRAMES_WITHOUT_OBJECTS = 11;

describe.each(testedPythons())("$name", ({ path: binary, version }) => {
  const known = new Map<string, Figures>();
  let folder: Folder;
  let python = "";
  let missing = "";
  const minor = Number(version.split(".")[1]);

  beforeAll(() => {
    folder = temporaryFolder();
    try {
      ({ python } = environment(binary, "test-python"));
    } catch (error) {
      if (process.env.CI) throw error;
      missing = String(error);
    }
  }, INSTALL_MS);
  afterAll(() => folder.remove());

  /** What `tracker` recorded of the program. */
  function figures(tracker: "memray" | "heapray", program: string, ...options: string[]): Figures {
    const name = [tracker, program, ...options].join("-");
    const before = known.get(name);
    if (before) return before;
    const capture = folder.join(`${name}.bin`);
    const script = path.join(here, "track_program.py");
    const args = [script, tracker, capture, file(program), ...options];
    const { status, stderr } = spawnSync(python, args, {
      encoding: "utf8",
      env: { ...process.env, PYTHONHASHSEED: "0" },
      timeout: 50_000,
    });
    // memray has warnings of its own.
    expect(status, stderr).toBe(0);
    const found = tracker === "memray" ? memrayFigures(python, capture) : heaprayFigures(capture);
    known.set(name, found);
    return found;
  }

  describe.skipIf(minor >= FRAMES_WITHOUT_OBJECTS)("each place", () => {
    test.each(programs)("%s: the same allocations, high-water mark, leaks and temporary allocations", (program) => {
      if (missing) return console.warn(missing);
      const memray = figures("memray", program);
      const heapray = figures("heapray", program);
      expectSamePlaces(heapray, memray, program);
      expect(heapray.peakMemory).toBe(memray.peakMemory);
    });

    test.each(programs)("%s, with pymalloc: the same, where calls are reported to somebody", (program) => {
      if (missing) return console.warn(missing);
      const memray = figures("memray", program, "trace_python_allocators");
      const heapray = figures("heapray", program, "trace_python_allocators", "profiled");
      expectSamePlaces(heapray, memray, program);
    });
  });

  describe.skipIf(minor < FRAMES_WITHOUT_OBJECTS)("all in all", () => {
    test.each(programs)("%s: the same allocations, where calls are reported to somebody", (program) => {
      if (missing) return console.warn(missing);
      expectSameSums(program);
    });

    test.each(programs)("%s, with pymalloc: the same allocations, where calls are reported to somebody", (program) => {
      if (missing) return console.warn(missing);
      expectSameSums(program, "trace_python_allocators");
    });

    test.each(programs)("%s: nowhere does heapray record more", (program) => {
      if (missing) return console.warn(missing);
      const memray = places(figures("memray", program), program);
      const heapray = places(figures("heapray", program), program);
      for (const [place, sum] of Object.entries(heapray)) {
        expect(sum.allocations, place).toBeLessThanOrEqual(memray[place]?.allocations ?? 0);
      }
    });
  });

  function expectSameSums(program: string, ...options: string[]): void {
    const memray = ofProgram(figures("memray", program, ...options).total, file(program));
    const heapray = ofProgram(figures("heapray", program, ...options, "profiled").total, file(program));
    expect(byAllocator(withoutOwnFrame(heapray, firstLine(program)))).toEqual(byAllocator(memray));
    expect(memray.length).toBeGreaterThan(0);
  }
});

function expectSamePlaces(heapray: Figures, memray: Figures, program: string): void {
  expect(Object.keys(places(memray, program)).length).toBeGreaterThan(0);
  const ours = withLinesOf(memray, heapray);
  expect(places(ours, program)).toEqual(places(memray, program));
  for (const list of lists) {
    const [a, b] = [ours, memray].map((figures) => byPlace(ofProgram(figures[list], file(program)), false));
    expect(a, list).toEqual(b);
  }
}

function places(figures: Figures, program: string) {
  return byPlace(ofProgram(figures.total, file(program)), true);
}

function file(program: string): string {
  return path.join(here, "programs", `${program}.py`);
}

/** Where the program's main() begins. */
function firstLine(program: string): number {
  return readFileSync(file(program), "utf8").split("\n").indexOf("def main() -> None:") + 1;
}
