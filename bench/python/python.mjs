// What tracking Python's programs costs, beside memray: untracked, under memray and under heapray in turns.
import { statSync } from "node:fs";
import path from "node:path";
import { setImmediate } from "node:timers/promises";
import { ratioOf } from "../paired.mjs";
import { count, ratioCell } from "../table.mjs";
import { timedRun } from "../timed-run.mjs";
import { environment, MEMRAY } from "./environment.mjs";
import { modes, underHeapray, underMemray } from "./modes.mjs";
import { programs } from "./programs.mjs";

/** @typedef {import("../benchmarks.mjs").Context} Context */
/** @typedef {import("../timed-run.mjs").Run} Run */
/** @typedef {import("../paired.mjs").Ratio} Ratio */

/** @typedef {"untracked" | "memray" | "heapray"} Way */

/**
 * @typedef {object} Triple one run of each way
 * @property {Record<Way, Run>} runs
 * @property {Record<"memray" | "heapray", number>} bytes of the captures
 */

/**
 * @typedef {object} Compared
 * @property {string} program
 * @property {Record<"work" | "wall" | "cpu", { memray: Ratio, heapray: Ratio, between: Ratio }>} ratios to untracked; of
 *   heapray to memray
 * @property {Ratio} bytes of heapray to memray
 * @property {readonly Triple[]} triples
 */

/** All modes of all programs take some twenty minutes with so many; a comparison that wanders needs more of one mode. */
const MOST_TRIPLES = 5;
const SHORT_PROGRAMS = ["json", "deltablue"];
const SHORT_MODES = ["tracked", "pymalloc"];
const WAYS = /** @type {const} */ (["untracked", "memray", "heapray"]);

/** @type {import("../benchmarks.mjs").Benchmark} */
export const python = {
  title: "what tracking costs Python's programs, beside memray",
  parts: [...Object.keys(programs), ...Object.keys(modes)],
  async run(context) {
    const { settings, results, progress } = context;
    progress.start("python: installing memray, NumPy and heapray");
    const installed = tryEnvironment(settings.python);
    progress.stop();
    if (typeof installed === "string") {
      results.add(
        { caption: "Python", columns: [], rows: [], notes: [`Left out: ${installed}`] },
        { leftOut: installed },
      );
      return;
    }
    const triples = triplesOf(context);
    for (const name of wantedModes(context)) {
      const compared = [];
      for (const program of wantedPrograms(context)) compared.push(await compare(program, name, installed, context));
      const ofTriples = triples === 1 ? "1 triple" : `${triples} triples`;
      const caption = `Python: ${modes[name]?.title} (CPython ${installed.version}, memray ${MEMRAY}; ${ofTriples})`;
      results.add({ caption, columns: COLUMNS, rows: compared.map(row) }, { mode: name, compared });
    }
  },
};

const COLUMNS = [
  "",
  "untracked, ms",
  "memray",
  "heapray",
  "heapray to memray",
  "CPU: memray",
  "heapray",
  "heapray to memray",
  "memray, bytes",
  "heapray, bytes",
  "heapray to memray",
];

/** @param {Compared} compared */
function row({ program, ratios: { wall, cpu }, bytes }) {
  return [
    program,
    count(wall.memray.a),
    ratioCell(wall.memray),
    ratioCell(wall.heapray),
    ratioCell(wall.between),
    cpu.memray.median.toFixed(2),
    cpu.heapray.median.toFixed(2),
    cpu.between.median.toFixed(2),
    count(bytes.a),
    count(bytes.b),
    bytes.median.toFixed(2),
  ];
}

/**
 * @param {string} name of the program
 * @param {string} modeName
 * @param {ReturnType<typeof environment>} installed
 * @param {Context} context
 * @returns {Promise<Compared>}
 */
async function compare(name, modeName, installed, context) {
  const { settings, folder, progress } = context;
  const program = programs[name];
  const mode = modes[modeName];
  if (!program || !mode) throw new Error(`there is no ${name} or no ${modeName}.`);
  const captures = { memray: path.join(folder, "memray.bin"), heapray: path.join(folder, "heapray.bin") };
  const script = [program.script, String(settings.short ? program.shortRounds : program.rounds)];
  /** @type {Record<Way, [string, ...string[]]>} */
  const commands = {
    untracked: [installed.python, ...script],
    memray: [...underMemray(installed.python, captures.memray, mode), ...script],
    heapray: [...underHeapray(settings.node, installed.python, captures.heapray, mode), ...script],
  };
  const size = (/** @type {"memray" | "heapray"} */ way) => statSync(captures[way]).size;
  progress.start(`python: ${program.title}, ${mode.title}`, triplesOf(context));
  /** @type {Triple[]} */
  const triples = [];
  for (let i = 0; i < triplesOf(context); i++) {
    // Runs block, and signals wait for them.
    await setImmediate();
    triples.push({ runs: inTurns(i, commands), bytes: { memray: size("memray"), heapray: size("heapray") } });
    progress.step();
  }
  progress.stop();
  const ratios = (/** @type {(run: Run) => number} */ figure) => ({
    memray: between(triples, "untracked", "memray", figure),
    heapray: between(triples, "untracked", "heapray", figure),
    between: between(triples, "memray", "heapray", figure),
  });
  const bytes = triples.map(({ bytes: { memray, heapray } }) => ({ a: memray, b: heapray }));
  return {
    program: name,
    ratios: { work: ratios((run) => run.workMs), wall: ratios((run) => run.wallMs), cpu: ratios((run) => run.cpuMs) },
    bytes: ratioOf(bytes, (size) => size),
    triples,
  };
}

/**
 * Each goes first in turn: whichever does may find the machine in another state.
 * @param {number} index of the triple
 * @param {Record<Way, [string, ...string[]]>} commands
 * @returns {Record<Way, Run>}
 */
function inTurns(index, commands) {
  const first = index % WAYS.length;
  const order = [...WAYS.slice(first), ...WAYS.slice(0, first)];
  const runs = Object.fromEntries(order.map((way) => [way, timedRun(commands[way])]));
  return /** @type {Record<Way, Run>} */ (runs);
}

/**
 * @param {readonly Triple[]} triples
 * @param {Way} a
 * @param {Way} b
 * @param {(run: Run) => number} figure
 */
function between(triples, a, b, figure) {
  return ratioOf(
    triples.map(({ runs }) => ({ a: runs[a], b: runs[b] })),
    figure,
  );
}

/** @param {Context} context */
function wantedPrograms({ settings }) {
  const named = settings.parts.filter((part) => part in programs);
  if (named.length > 0) return named;
  return settings.short ? SHORT_PROGRAMS : Object.keys(programs);
}

/** @param {Context} context */
function wantedModes({ settings }) {
  const named = settings.parts.filter((part) => part in modes);
  if (named.length > 0) return named;
  return settings.short ? SHORT_MODES : Object.keys(modes);
}

/** @param {Context} context */
function triplesOf({ settings }) {
  return Math.min(settings.pairs, MOST_TRIPLES);
}

/**
 * @param {string} interpreter
 * @returns {ReturnType<typeof environment> | string} why there is none
 */
function tryEnvironment(interpreter) {
  try {
    return environment(interpreter, "bench-python", ["numpy"]);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
