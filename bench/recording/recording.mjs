// What recording costs: each program in each way, in pairs; a server under load; a server that has nothing to do.
import { rmSync, statSync } from "node:fs";
import { pairedRuns } from "../paired.mjs";
import { fromTo, ofPairs, ratioCell } from "../table.mjs";
import { idleServer } from "./idle-server.mjs";
import { programs } from "./programs.mjs";
import { server } from "./server.mjs";
import { captureIn, wayNamed, ways } from "./ways.mjs";

/** @typedef {import("../benchmarks.mjs").Context} Context */

/** @type {import("../benchmarks.mjs").Benchmark} */
export const recording = {
  title: "what tracking costs",
  parts: [...Object.keys(programs), "server", "idle"],
  async run(context) {
    for (const part of context.parts) {
      const program = programs[part];
      if (program) await measureProgram(program, context);
      else if (part === "server") await server(context);
      else await idleServer(context);
    }
  },
};

/**
 * @param {import("./programs.mjs").Program} program
 * @param {Context} context
 */
async function measureProgram(program, context) {
  const { settings, results } = context;
  const measured = wanted(program, context);
  if (measured.length === 0) return;
  const missing = measured.filter((name) => wayNamed(name).installed?.() === false);
  const compared = [];
  for (const name of measured.filter((name) => !missing.includes(name))) {
    compared.push({ name, ...(await compare(program, name, context)) });
  }
  results.add(
    {
      caption: `Recording: ${program.title} (${ofPairs(settings.pairs)})`,
      columns: ["", "against", "the work", "goal", "ms", "whole process", "ms", "CPU", "CPU ms"],
      rows: compared.map(({ name, work, wall, cpu }) => [
        wayNamed(name).title,
        wayNamed(wayNamed(name).against).title,
        ratioCell(work),
        program.goals[name]?.toFixed(2) ?? "",
        fromTo(work),
        ratioCell(wall),
        fromTo(wall),
        cpu.median.toFixed(2),
        fromTo(cpu),
      ]),
      notes: missing.map((name) => `${wayNamed(name).title} is not installed, and left out.`),
    },
    compared,
  );
}

/**
 * @param {import("./programs.mjs").Program} program
 * @param {Context} context
 */
function wanted(program, { settings }) {
  if (settings.ways.length > 0) return settings.ways;
  if (!settings.short) return Object.keys(ways);
  // What was asked for by its name is not left out.
  return settings.parts.length > 0 && program.short.length === 0 ? ["tracked"] : program.short;
}

/**
 * @param {import("./programs.mjs").Program} program
 * @param {string} name of the way
 * @param {Context} context
 */
async function compare(program, name, { settings, folder, progress }) {
  const way = wayNamed(name);
  const command = (/** @type {import("./ways.mjs").Way} */ of) =>
    /** @type {[string, ...string[]]} */ ([...of.command(settings.node, folder), ...program.script]);
  rmSync(captureIn(folder), { force: true });
  progress.start(`recording: ${program.title}, ${way.title}`, settings.pairs);
  const compared = await pairedRuns(command(wayNamed(way.against)), command(way), settings.pairs, {
    warmUp: !settings.short,
    onPair: () => progress.step(),
  });
  progress.stop();
  if (!way.peer) checkCapture(captureIn(folder));
  return compared;
}

/** @param {string} capture */
function checkCapture(capture) {
  // A header alone is smaller.
  const { size } = statSync(capture, { throwIfNoEntry: false }) ?? { size: 0 };
  if (size < 2000) throw new Error("nothing was tracked: there is no capture, or nothing in it.");
}
