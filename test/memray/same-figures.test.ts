import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FileReader } from "../../src/analysis/file-reader.js";
import { heapray } from "../support/heapray.js";
import {
  foundAggregates,
  foundAllocators,
  foundLifetimes,
  foundLocations,
  foundMarks,
  foundPlaces,
  frameText,
  linelessIn,
  type PlacedFrame,
  type PlaceOptions,
  type Told,
  toldAggregates,
  toldLifetimes,
  toldMarks,
  toldPlaces,
} from "./figures.js";
import { installed, type Memray, pythons } from "./installed.js";

const PROGRAMS = path.join(import.meta.dirname, "programs");
const DUMP = path.join(import.meta.dirname, "dump.py");

interface Tracked {
  readonly name: string;
  readonly program: string;
  /** Of `memray run`. */
  readonly options: readonly string[];
  /** The program tracks itself; what it is given behind the capture's path. */
  readonly args?: readonly string[];
}

const NATIVE = ["--native"];
const AGGREGATED = ["--aggregate"];
const PYMALLOC = ["--trace-python-allocators"];

const PROGRAMS_AND_OPTIONS: readonly Tracked[] = [
  { name: "threads", program: "threads.py", options: [] },
  { name: "threads, aggregated", program: "threads.py", options: AGGREGATED },
  { name: "C and C++, native traces", program: "native.py", options: NATIVE },
  { name: "C and C++, native traces, aggregated", program: "native.py", options: [...NATIVE, ...AGGREGATED] },
  { name: "C and C++, native traces, Python's allocators", program: "native.py", options: [...NATIVE, ...PYMALLOC] },
  { name: "Python's allocators", program: "pymalloc.py", options: PYMALLOC },
  { name: "Python's allocators, aggregated", program: "pymalloc.py", options: [...PYMALLOC, ...AGGREGATED] },
  { name: "mappings", program: "mappings.py", options: [] },
  { name: "mappings, native traces, aggregated", program: "mappings.py", options: [...NATIVE, ...AGGREGATED] },
  { name: "leaks", program: "leaks.py", options: [] },
  { name: "leaks, not compressed", program: "leaks.py", options: ["--no-compress"] },
  { name: "temporary allocations", program: "temporary.py", options: [] },
  { name: "generators and coroutines", program: "generators.py", options: [] },
  { name: "generators and coroutines, native traces", program: "generators.py", options: NATIVE },
  { name: "recursion", program: "recursion.py", options: [] },
  { name: "recursion, native traces", program: "recursion.py", options: NATIVE },
  { name: "forks", program: "forks.py", options: ["--follow-fork"] },
  { name: "forks, aggregated", program: "forks.py", options: ["--follow-fork", ...AGGREGATED] },
  { name: "executed code", program: "executed.py", options: [] },
  {
    name: "executed code, native traces, not compressed",
    program: "executed.py",
    options: [...NATIVE, "--no-compress"],
  },
  { name: "reallocations", program: "reallocations.py", options: [] },
  { name: "several peaks", program: "peaks.py", options: [] },
  { name: "several peaks, aggregated", program: "peaks.py", options: AGGREGATED },
  { name: "a tracker in the middle", program: "tracker.py", options: [], args: [] },
  { name: "a tracker in the middle, native traces", program: "tracker.py", options: [], args: ["native"] },
];

/** `npm test` takes one way of each program, the oldest Python besides, and of memray 1.19 captures of some programs. */
const WHOLE = process.env.HEAPRAY_PYTHON_VERSIONS === "all";

const found = pythons();
const release = ["3.11", "3.12", "3.10", "3.13", "3.9", "3.14"].find((one) => found.has(one));
const others = [...found.keys()]
  .filter((one) => one !== release)
  .sort((a, b) => Number(a.slice(2)) - Number(b.slice(2)));
const otherReleases = WHOLE ? others : others.slice(0, 1);
const OF_OLDER_MEMRAY = ["forks.py", "mappings.py", "native.py", "pymalloc.py", "threads.py"];
const firstOfEach = PROGRAMS_AND_OPTIONS.filter(
  ({ program }, i) => PROGRAMS_AND_OPTIONS.findIndex((one) => one.program === program) === i,
);
const firstOfSome = firstOfEach.filter(({ program }) => OF_OLDER_MEMRAY.includes(program));

describe.each([
  { version: "1.20.0", tracked: WHOLE ? PROGRAMS_AND_OPTIONS : firstOfEach },
  { version: "1.19.3", tracked: WHOLE ? PROGRAMS_AND_OPTIONS : firstOfSome },
])("the figures are memray's own: $version", ({ version, tracked }) => {
  let memray: Memray | undefined;
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), "heapray-memray-"));
    memray = release === undefined ? undefined : installed(version, release, found.get(release) as string);
  }, 320_000);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test.for(tracked)("$name", ({ name, program, options, args }, context) => {
    if (memray === undefined) return context.skip("memray cannot be installed here");
    const capture = path.join(folder, `${name.replaceAll(/\W+/g, "-")}.bin`);
    const script = path.join(PROGRAMS, program);
    if (args !== undefined) memray.run([script, capture, ...args], folder);
    else memray.run(["-m", "memray", "run", "-q", "-o", capture, ...options, script], folder);
    // A child's capture has its number behind the name. Children end without an end to tracking.
    const captures = readdirSync(folder).filter((file) => path.join(folder, file).startsWith(capture));
    expect(captures).toHaveLength(program === "forks.py" ? 3 : 1);
    for (const file of captures.map((one) => path.join(folder, one))) {
      const isChild = file !== capture;
      if (isChild && options.includes("--aggregate"))
        expect(() => new FileReader(file)).toThrow("nothing was recorded");
      else compare(file, memray, !isChild);
    }
  });

  test.for(["temporary.py", "mappings.py", "pymalloc.py"])(
    "stats --json prints what memray's prints: %s",
    (program, context) => {
      if (memray === undefined) return context.skip("memray cannot be installed here");
      const capture = path.join(folder, `stats-${program}.bin`);
      const script = path.join(PROGRAMS, program);
      memray.run(["-m", "memray", "run", "-q", ...PYMALLOC, "-o", capture, script], folder);
      memray.run(["-m", "memray", "stats", "--json", "-o", "told.json", "-f", capture], folder);
      const told = JSON.parse(readFileSync(path.join(folder, "told.json"), "utf8"));
      const printed = JSON.parse(heapray(["stats", "--json", "-o", "-", capture]).stdout);
      const same = [
        "total_num_allocations",
        "total_bytes_allocated",
        "allocation_size_histogram",
        "allocator_type_distribution",
      ];
      for (const key of same) expect(printed[key], key).toEqual(told[key]);
      expect(printed.metadata.peak_memory).toBe(told.metadata.peak_memory);
      // What one of the program's own lines allocated is that, and what was called from there of the standard library.
      const own = told.top_allocations_by_size.filter(({ location }: { location: string }) =>
        location.includes(script),
      );
      expect(own.length).toBeGreaterThan(0);
      for (const { location, size } of own) {
        const found = printed.top_allocations_by_size.find((one: { location: string }) => one.location === location);
        expect(found?.size, location).toBeGreaterThanOrEqual(size);
      }
    },
  );
});

describe.each(otherReleases)("the figures are memray's own: Python %s", (python) => {
  const version = "1.20.0";
  let memray: Memray | undefined;
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), "heapray-memray-"));
    memray = installed(version, python, found.get(python) as string);
  }, 320_000);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test.for(["executed.py", "generators.py", "native.py"])("%s", (program, context) => {
    if (memray === undefined) return context.skip(`memray ${version} cannot be installed here`);
    const capture = path.join(folder, `${program}.bin`);
    const options = program === "native.py" ? NATIVE : [];
    memray.run(["-m", "memray", "run", "-q", "-o", capture, ...options, path.join(PROGRAMS, program)], folder);
    compare(capture, memray, true);
  });
});

function compare(capture: string, memray: Memray, complete: boolean): void {
  const told = JSON.parse(memray.run([DUMP, capture])) as Told;
  using reader = new FileReader(capture);
  const { metadata } = reader;
  const { end, allocations: _, ...header } = told.metadata;
  const { native } = header;
  const lineless = linelessIn(told);
  const places = { native, lineless, bytesOnly: told.stats === undefined };
  const merged = { ...places, merged: true };
  const single = { mergeThreads: false };
  expect
    .soft({
      peak: metadata.peakMemory,
      pid: metadata.pid,
      command: metadata.commandLine.join(" "),
      start: metadata.startTimeMs,
      mainThread: metadata.mainThreadId,
      native: metadata.hasNativeTraces,
    })
    .toEqual(header);
  expect.soft(metadata.complete).toBe(complete);
  if (complete) expect.soft(metadata.endTimeMs).toBe(end);

  const peak = toldPlaces(told.peak, places);
  expect.soft(foundPlaces(reader.getHighWatermarkAllocationRecords(single), places, peak)).toEqual(peak);
  const mergedPeak = toldPlaces(told.mergedPeak, merged);
  expect.soft(foundPlaces(reader.getHighWatermarkAllocationRecords(), merged, mergedPeak)).toEqual(mergedPeak);
  const leaks = toldPlaces(told.leaks, places);
  expect.soft(foundPlaces(reader.getLeakedAllocationRecords(single), places, leaks)).toEqual(leaks);
  for (const [threshold, some] of Object.entries(told.temporary ?? {})) {
    const temporary = toldPlaces(some, places);
    const records = reader.getTemporaryAllocationRecords({ ...single, threshold: Number(threshold) });
    expect.soft(foundPlaces(records, places, temporary), `threshold ${threshold}`).toEqual(temporary);
  }
  const snapshots = [...reader.getMemorySnapshots()];
  expect
    .soft(snapshots.map(({ timeMs, rss, tracked }) => [metadata.startTimeMs + timeMs, rss, tracked]))
    .toEqual(told.snapshots);
  if (told.lifetimes !== undefined) {
    expect
      .soft(foundLifetimes(reader.getTemporalAllocationRecords(single), places))
      .toEqual(toldLifetimes(told.lifetimes));
  }
  if (told.marks !== undefined && told.marksBySnapshot !== undefined)
    compareMarks(reader, told.marks, told.marksBySnapshot, places);
  if (told.stats !== undefined) compareStatistics(reader, told.stats, lineless);
  else expect.soft(foundAggregates(reader)).toEqual(toldAggregates(memray.run(["-m", "memray", "parse", capture])));
}

function compareMarks(
  reader: FileReader,
  told: NonNullable<Told["marks"]>,
  bySnapshot: readonly number[],
  places: PlaceOptions,
): void {
  const marks = reader.getTemporalHighWaterMarkAllocationRecords({ mergeThreads: false });
  // memray does not count what comes after the last allocation or free, and of its last interval not what came after the
  // last free.
  const found = marks.highWaterMarkBySnapshot;
  const last = bySnapshot.length - 1;
  expect.soft(found.slice(0, last)).toEqual(bySnapshot.slice(0, last));
  expect.soft(found[last]).toBeGreaterThanOrEqual(bySnapshot[last] as number);
  expect.soft(foundMarks(marks, bySnapshot.length, places)).toEqual(toldMarks(told, bySnapshot.length));
}

function compareStatistics(reader: FileReader, told: NonNullable<Told["stats"]>, lineless: ReadonlySet<string>): void {
  const statistics = reader.getStatistics();
  expect
    .soft([statistics.totalNumAllocations, statistics.totalMemoryAllocated, reader.metadata.peakMemory])
    .toEqual([told.allocations, told.bytes, told.peak]);
  expect.soft(foundAllocators(reader)).toEqual(told.byAllocator);
  const at = foundLocations(reader, lineless);
  const textOf = (frame: PlacedFrame): string => (frame[0] === "<unknown>" ? frame[0] : frameText(frame));
  expect
    .soft(told.topBySize.map(([frame]) => at.get(textOf(frame))?.bytes))
    .toEqual(told.topBySize.map(([, bytes]) => bytes));
  expect
    .soft(told.topByCount.map(([frame]) => at.get(textOf(frame))?.count))
    .toEqual(told.topByCount.map(([, count]) => count));
}
