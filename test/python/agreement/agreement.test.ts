/**
 * The same programs under memray and under heapray: both record the same. docs/memray-comparison.md tells why memray records more
 * where it does: it has CPython report each call to it, and heapray does not.
 */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { environment } from "../../../bench/python/environment.mjs";
import { testedPythons } from "../../../scripts/pythons.mjs";
import { type Folder, temporaryFolder } from "../../support/heapray.js";
import { type Figures, heaprayFigures, memrayFigures } from "./figures.js";
import {
  byAllocator,
  byPlace,
  framesByCallers,
  ofProgram,
  withLinesOf,
  withoutBookkeeping,
  withoutOwnFrame,
} from "./places.js";

const here = path.dirname(fileURLToPath(import.meta.url));
const programs = readdirSync(path.join(here, "programs"))
  .filter((name) => name.endsWith(".py"))
  .map((name) => path.basename(name, ".py"));
const INSTALL_MS = 600_000;
const PYMALLOC = "trace_python_allocators";
const PROFILED = "profiled";

/** What threads and modules need for themselves depends on the tracker, which learns of threads' names and has modules. */
const BOOKKEEPERS = new Set(["threads", "imports"]);

/** Places at which a table of names may grow under one tracker and not under the other. */
const GROWN_TABLES = 4;

type Places = ReturnType<typeof byPlace>;
type List = "total" | "highWaterMark" | "leaked" | "temporary";

/** Until then, frames were objects whether somebody wanted to see them or not. */
const FRAMES_WITHOUT_OBJECTS = 11;

describe.each(testedPythons())("$name", ({ path: binary, version }) => {
  const known = new Map<string, Figures>();
  const framesAreObjects = Number(version.split(".")[1]) < FRAMES_WITHOUT_OBJECTS;
  let folder: Folder;
  let python = "";
  let missing = "";

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

  test.for(programs)("%s: the same allocations in the same places", (program, { skip }) => {
    if (missing) skip(missing);
    expectSame(program, ["total", "highWaterMark", "leaked", "temporary"], []);
  });

  test.runIf(framesAreObjects).for(programs)("%s: the same without a profile function", (program, { skip }) => {
    if (missing) skip(missing);
    const memray = figures("memray", program, []);
    const heapray = figures("heapray", program, []);
    const [theirs, ours] = [memray, heapray].map((figures) => places(withLinesOf(memray, figures), "total", program));
    expectSamePlaces(ours ?? {}, theirs ?? {}, program, "total");
    if (!BOOKKEEPERS.has(program)) expect(heapray.peakMemory).toBe(memray.peakMemory);
  });

  test.for(programs.filter((name) => !BOOKKEEPERS.has(name)))(
    "%s, with pymalloc: the same allocations",
    (program, { skip }) => {
      if (missing) skip(missing);
      if (framesAreObjects) expectSame(program, ["total", "temporary"], [PYMALLOC]);
      else expectSameSums(program, [PYMALLOC]);
    },
  );

  /** That memray's lists are heapray's, where calls are reported to somebody in both. */
  function expectSame(program: string, lists: readonly List[], options: readonly string[]): void {
    const memray = figures("memray", program, options);
    const profiled = figures("heapray", program, [...options, PROFILED]);
    const theirs = withLinesOf(memray, memray);
    const ours = withLinesOf(memray, profiled);
    expect(rows(theirs, "total", program).length).toBeGreaterThan(0);
    const plain = framesAreObjects ? undefined : rows(figures("heapray", program, options), "total", program);
    for (const list of lists) {
      // Where the peak is may depend on when such a table grew.
      if (program === "imports" && list === "highWaterMark") continue;
      const found = rows(ours, list, program);
      const told = withoutBookkeeping(plain ? framesByCallers(found, plain) : found);
      expectSamePlaces(byPlace(told, list === "total"), places(theirs, list, program), program, list);
    }
  }

  /** That all places are the same; but modules fill CPython's tables of names, which grow at whoever's line is the last straw. */
  function expectSamePlaces(ours: Places, theirs: Places, program: string, list: string): void {
    const places = [...new Set([...Object.keys(ours), ...Object.keys(theirs)])];
    const differing = places.filter((place) => !isDeepStrictEqual(ours[place], theirs[place]));
    if (program !== "imports" || differing.length > GROWN_TABLES) expect(ours, list).toEqual(theirs);
    for (const place of differing) {
      const more = (ours[place]?.allocations ?? 0) - (theirs[place]?.allocations ?? 0);
      expect(Math.abs(more), `${list}: ${place}`).toBe(1);
    }
  }

  /** The same, by allocator: with pymalloc, the objects of most frames are allocations. */
  function expectSameSums(program: string, options: readonly string[]): void {
    const memray = byAllocator(rows(figures("memray", program, options), "total", program));
    const profiled = rows(figures("heapray", program, [...options, PROFILED]), "total", program);
    const heapray = byAllocator(withoutOwnFrame(profiled, firstLine(program)));
    expect(Object.keys(heapray).sort()).toEqual(Object.keys(memray).sort());
    expect(Object.keys(memray).length).toBeGreaterThan(0);
    for (const [allocator, { allocations, bytes }] of Object.entries(memray)) {
      expect(heapray[allocator]?.allocations, allocator).toBe(allocations);
      // Texts and tables whose size depends on what was there before.
      expect(Math.abs((heapray[allocator]?.bytes ?? 0) - bytes) / bytes, allocator).toBeLessThan(0.001);
    }
  }

  /** What `tracker` recorded of the program. */
  function figures(tracker: "memray" | "heapray", program: string, options: readonly string[]): Figures {
    const name = [tracker, program, ...options].join("-");
    const before = known.get(name);
    if (before) return before;
    const capture = folder.join(`${name}.bin`);
    const script = path.join(here, "track_program.py");
    const { status, stderr } = spawnSync(python, [script, tracker, capture, file(program), ...options], {
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
});

function places(figures: Figures, list: List, program: string) {
  return byPlace(withoutBookkeeping(rows(figures, list, program)), list === "total");
}

function rows(figures: Figures, list: List, program: string) {
  return ofProgram(figures[list], file(program));
}

/** Where the program's main() begins. */
function firstLine(program: string): number {
  return readFileSync(file(program), "utf8").split("\n").indexOf("def main() -> None:") + 1;
}

function file(program: string): string {
  return path.join(here, "programs", `${program}.py`);
}
