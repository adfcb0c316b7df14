// What tracking costs an allocation, as the work grows in one dimension after the other.
import { rmSync } from "node:fs";
import { pairedRuns, quantile } from "../paired.mjs";
import { captureIn, wayNamed } from "../recording/ways.mjs";
import { count, ratioCell } from "../table.mjs";
import { timedRun } from "../timed-run.mjs";
import { dimensions } from "./dimensions.mjs";
import { plot } from "./plot.mjs";

/** @typedef {import("../benchmarks.mjs").Context} Context */
/** @typedef {import("./dimensions.mjs").Dimension} Dimension */
/** @typedef {import("./dimensions.mjs").Operation} Operation */
/** @typedef {import("../paired.mjs").PairedRuns} PairedRuns */

/**
 * @typedef {object} Measured
 * @property {number} point
 * @property {string} way
 * @property {number} nanoseconds on top, of each allocation
 * @property {PairedRuns["work"]} work
 * @property {number} untrackedKiB what the untracked program holds in the end
 * @property {number} memoryKiB what the tracked one does
 * @property {PairedRuns["runs"]} runs
 */

/** @typedef {Map<string, Operation>} Operations by the script */

const WAYS = ["tracked", "aggregate"];
/** At the largest point of the short version. */
const SHORT_WAYS = ["tracked"];
/** Pairs of one point; the largest take a minute each. */
const MOST_PAIRS = 5;
const LARGE = 2e7;

/** @type {import("../benchmarks.mjs").Benchmark} */
export const scale = {
  title: "cost against work: records, live allocations, depth, threads",
  parts: Object.keys(dimensions),
  async run(context) {
    /** @type {Operations} */
    const known = new Map();
    const panels = [];
    for (const part of context.parts) {
      const dimension = dimensions[part];
      if (!dimension) throw new Error(`there is no dimension ${part}.`);
      const measured = await measure(dimension, await operationOf(dimension, known, context), context);
      report(dimension, measured, context);
      panels.push({ title: dimension.title, unit: dimension.unit, lines: measured });
    }
    context.results.attach(".svg", plot(panels.map(panelOf)));
  },
};

/**
 * @param {Dimension} dimension
 * @param {Operation} operation
 * @param {Context} context
 * @returns {Promise<Measured[]>}
 */
async function measure(dimension, operation, { settings, folder, progress }) {
  const measured = [];
  for (const point of settings.short ? dimension.short : dimension.points) {
    const args = [dimension.script, ...dimension.args(point, operation).map(String)];
    const pairs = point > LARGE ? 1 : Math.min(settings.pairs, MOST_PAIRS);
    for (const way of settings.short && point === dimension.short.at(-1) ? SHORT_WAYS : WAYS) {
      const command = (/** @type {string} */ name) =>
        /** @type {[string, ...string[]]} */ ([...wayNamed(name).command(settings.node, folder), ...args]);
      progress.start(`scale: ${count(point)} ${dimension.unit}, ${wayNamed(way).title}`, pairs);
      const runs = await pairedRuns(command("untracked"), command(way), pairs, {
        warmUp: false,
        onPair: () => progress.step(),
      });
      progress.stop();
      measured.push({ point, way, ...costs(runs, dimension.operations(point, operation) * operation.allocations) });
      // Up to half a gigabyte.
      rmSync(captureIn(folder), { force: true });
    }
  }
  return measured;
}

/**
 * @param {PairedRuns} paired
 * @param {number} allocations
 */
function costs({ work, runs }, allocations) {
  const onTop = runs.map(({ a, b }) => b.workMs - a.workMs);
  const memory = (/** @type {"a" | "b"} */ which) => {
    return quantile(
      runs.map((pair) => pair[which].printed.memoryKiB ?? Number.NaN),
      0.5,
    );
  };
  return {
    nanoseconds: (quantile(onTop, 0.5) * 1e6) / allocations,
    work,
    untrackedKiB: memory("a"),
    memoryKiB: memory("b"),
    runs,
  };
}

/**
 * @param {Dimension} dimension
 * @param {Operations} known
 * @param {Context} context
 * @returns {Promise<Operation>}
 */
async function operationOf(dimension, known, context) {
  const operation = known.get(dimension.script) ?? (await calibrate(dimension, context));
  known.set(dimension.script, operation);
  return operation;
}

/**
 * Counts what an operation of a program is, from two aggregated runs.
 * @param {Dimension} dimension
 * @param {Context} context
 * @returns {Promise<Operation>}
 */
async function calibrate({ script, calibration, calibrated }, { settings, folder, progress }) {
  const { FileReader } = await import("../../dist/analysis/file-reader.js");
  progress.start("scale: counting the allocations of an operation");
  const counts = calibration.map((args) => {
    const way = wayNamed("aggregate").command(settings.node, folder);
    timedRun([...way, script, ...args.map(String)]);
    const reader = new FileReader(captureIn(folder));
    let live = 0;
    for (const { nAllocations } of reader.getHighWatermarkAllocationRecords()) live += nAllocations;
    return { allocations: reader.metadata.totalAllocations, live };
  });
  progress.stop();
  const [less = { allocations: 0, live: 0 }, more = less] = counts;
  return {
    allocations: (more.allocations - less.allocations) / calibrated,
    live: (more.live - less.live) / calibrated,
  };
}

/**
 * @param {Dimension} dimension
 * @param {readonly Measured[]} measured
 * @param {Context} context
 */
function report({ title, unit }, measured, { results }) {
  const megabytes = (/** @type {number} */ kib) => (kib / 1024).toFixed(0);
  results.add(
    {
      caption: `Scale: ${title}`,
      columns: [unit, "", "work", "ns an allocation, on top", "ms", "memory in the end, MB"],
      rows: measured.map(({ point, way, work, nanoseconds, untrackedKiB, memoryKiB }) => [
        count(point),
        wayNamed(way).title,
        ratioCell(work),
        nanoseconds.toFixed(0),
        `${count(work.a)} -> ${count(work.b)}`,
        `${megabytes(untrackedKiB)} -> ${megabytes(memoryKiB)}`,
      ]),
      notes: ["Goal: linear or better, so that a line's nanoseconds do not grow with its point."],
    },
    measured,
  );
}

/** @param {{ title: string, unit: string, lines: readonly Measured[] }} panel */
function panelOf({ title, unit, lines }) {
  return {
    title,
    unit,
    points: lines.map(({ point, way, nanoseconds }) => ({ x: point, y: nanoseconds, line: wayNamed(way).title })),
  };
}
