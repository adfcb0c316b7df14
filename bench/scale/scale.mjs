// What tracking costs an allocation, as the work grows in one dimension after the other.
import { rmSync } from "node:fs";
import { pairedRuns, quantile } from "../paired.mjs";
import { captureIn, wayNamed } from "../recording/ways.mjs";
import { program } from "../root.mjs";
import { count, ratioCell } from "../table.mjs";
import { timedRun } from "../timed-run.mjs";
import { calibration, dimensions } from "./dimensions.mjs";
import { plot } from "./plot.mjs";

/** @typedef {import("../benchmarks.mjs").Context} Context */
/** @typedef {import("./dimensions.mjs").Dimension} Dimension */
/** @typedef {import("./dimensions.mjs").Message} Message */
/** @typedef {import("./dimensions.mjs").Work} Work */
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
    const message = await measuredMessage(context);
    const panels = [];
    for (const part of context.parts) {
      const dimension = dimensions[part];
      if (!dimension) throw new Error(`there is no dimension ${part}.`);
      const measured = await measure(dimension, message, context);
      report(dimension, measured, context);
      panels.push({ title: dimension.title, unit: dimension.unit, lines: measured });
    }
    context.results.attach(".svg", plot(panels.map(panelOf)));
  },
};

/**
 * @param {Dimension} dimension
 * @param {Message} message
 * @param {Context} context
 * @returns {Promise<Measured[]>}
 */
async function measure(dimension, message, { settings, folder, progress }) {
  const measured = [];
  for (const point of settings.short ? dimension.short : dimension.points) {
    const work = dimension.work(point, message);
    const pairs = point > LARGE ? 1 : Math.min(settings.pairs, MOST_PAIRS);
    for (const way of settings.short && point === dimension.short.at(-1) ? SHORT_WAYS : WAYS) {
      const command = (/** @type {string} */ name) =>
        /** @type {[string, ...string[]]} */ ([...wayNamed(name).command(settings.node, folder), ...script(work)]);
      progress.start(`scale: ${count(point)} ${dimension.unit}, ${wayNamed(way).title}`, pairs);
      const runs = await pairedRuns(command("untracked"), command(way), pairs, {
        warmUp: false,
        onPair: () => progress.step(),
      });
      progress.stop();
      measured.push({ point, way, ...costs(runs, work.replaced * message.allocations) });
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
 * @param {Work} work
 * @returns {string[]} the program and its arguments
 */
function script({ live, replaced, depth, threads }) {
  return [program("messages.cjs"), ...[live, replaced, depth, threads].map(String)];
}

/**
 * Counts what a message is, from aggregated runs with more and with fewer of them.
 * @param {Context} context
 * @returns {Promise<Message>}
 */
async function measuredMessage({ settings, folder, progress }) {
  const { FileReader } = await import("../../dist/analysis/file-reader.js");
  const counted = (/** @type {Work} */ work) => {
    timedRun([...wayNamed("aggregate").command(settings.node, folder), ...script(work)]);
    const reader = new FileReader(captureIn(folder));
    let live = 0;
    for (const { nAllocations } of reader.getHighWatermarkAllocationRecords()) live += nAllocations;
    return { allocations: reader.metadata.totalAllocations, live };
  };
  progress.start("scale: counting the allocations of a message");
  const of = (/** @type {readonly Work[]} */ works, /** @type {keyof Message} */ what) => {
    const [fewer = 0, more = 0] = works.map((work) => counted(work)[what]);
    return (more - fewer) / calibration.messages;
  };
  const message = { allocations: of(calibration.replacing, "allocations"), live: of(calibration.keeping, "live") };
  progress.stop();
  return message;
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
