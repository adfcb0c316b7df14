// A server under load: requests a second, the slowest hundredth of the answers, and the processor's time for a request.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { quantile, ratioOf } from "../paired.mjs";
import { subfolder } from "../root.mjs";
import { count, ofPairs, ratioCell } from "../table.mjs";
import { RunningServer } from "./running-server.mjs";
import { wayNamed } from "./ways.mjs";

/** @typedef {import("../benchmarks.mjs").Context} Context */

/**
 * @typedef {object} Load
 * @property {number} perSecond requests
 * @property {number} p50 milliseconds
 * @property {number} p99 milliseconds
 * @property {number} cpuMs of the server, for a request
 */

const WAYS = ["tracked", "native", "aggregate", "js-heap"];
const LENGTHS = { warmUp: 1, load: 1.5 };
const SHORT_LENGTHS = { warmUp: 0.5, load: 0.75 };
const LOAD = fileURLToPath(new URL("load.mjs", import.meta.url));

/** @type {Record<string, { perSecond: number, p99?: number }>} */
const goals = {
  tracked: { perSecond: 0.97, p99: 1.05 },
  aggregate: { perSecond: 1 },
  "js-heap": { perSecond: 1 / 1.1 },
};

/** @param {Context} context */
export async function server(context) {
  const { settings, results, progress } = context;
  const rows = [];
  const figures = [];
  for (const name of wanted(settings)) {
    const { title, against } = wayNamed(name);
    progress.start(`recording: a server under load, ${title}`, settings.pairs);
    const pairs = [];
    for (let i = 0; i < settings.pairs; i++) {
      pairs.push(await pair(name, i, context));
      progress.step();
    }
    progress.stop();
    const perSecond = ratioOf(pairs, (load) => load.perSecond);
    const p99 = ratioOf(pairs, (load) => load.p99);
    const cpu = ratioOf(pairs, (load) => load.cpuMs);
    const goal = goals[name];
    rows.push([
      title,
      wayNamed(against).title,
      ratioCell(perSecond),
      goal ? `>= ${goal.perSecond.toFixed(2)}` : "",
      `${count(perSecond.a)} -> ${count(perSecond.b)}`,
      ratioCell(p99),
      goal?.p99 ? `<= ${goal.p99.toFixed(2)}` : "",
      `${p99.a.toFixed(1)} -> ${p99.b.toFixed(1)}`,
      ratioCell(cpu),
    ]);
    figures.push({ name, perSecond, p99, cpu, pairs });
  }
  results.add(
    {
      caption: `Recording: an HTTP server under load (${ofPairs(settings.pairs)})`,
      columns: ["", "against", "requests/s", "goal", "a second", "p99", "goal", "ms", "CPU a request"],
      rows,
    },
    figures,
  );
}

/** @param {import("../command-line.mjs").Settings} settings */
function wanted({ ways, short }) {
  if (ways.length > 0) return WAYS.filter((name) => ways.includes(name));
  return short ? ["tracked"] : WAYS;
}

/**
 * Both servers run all the time, and the load goes from one to the other and back.
 * @param {string} name
 * @param {number} index
 * @param {Context} context
 */
async function pair(name, index, { settings, folder }) {
  const way = wayNamed(name);
  const seconds = settings.short ? SHORT_LENGTHS : LENGTHS;
  /** @type {RunningServer[]} */
  const running = [];
  try {
    // Both may be tracked, each into a capture of its own.
    const a = await RunningServer.start(wayNamed(way.against).command(settings.node, subfolder(folder, "a")));
    running.push(a);
    const b = await RunningServer.start(way.command(settings.node, subfolder(folder, "b")));
    running.push(b);
    for (const each of running) await underLoad(each, seconds.warmUp);
    const order = index % 2 === 0 ? [a, b, b, a] : [b, a, a, b];
    /** @type {Map<RunningServer, Load[]>} */
    const loads = new Map([a, b].map((each) => [each, []]));
    for (const each of order) loads.get(each)?.push(await underLoad(each, seconds.load));
    return { a: median(loads.get(a) ?? []), b: median(loads.get(b) ?? []) };
  } finally {
    for (const each of running) await each.stop();
  }
}

/**
 * @param {RunningServer} server
 * @param {number} seconds
 * @returns {Promise<Load>}
 */
async function underLoad(server, seconds) {
  const before = server.cpuMs;
  const { requests, seconds: took, p50, p99 } = await load(server.url, seconds);
  return { perSecond: requests / took, p50, p99, cpuMs: (server.cpuMs - before) / requests };
}

/**
 * @param {string} url
 * @param {number} seconds
 * @returns {Promise<{ requests: number, seconds: number, p50: number, p99: number }>}
 */
function load(url, seconds) {
  const child = spawn(process.execPath, [LOAD, url, String(seconds)], { stdio: ["ignore", "pipe", "inherit"] });
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  // It ends by itself; a server that never answers must not keep it.
  const timer = setTimeout(kill, (seconds + 30) * 1000);
  return new Promise((resolve, reject) => {
    let out = "";
    child.stdout.setEncoding("utf8").on("data", (text) => {
      out += text;
    });
    child.on("error", reject);
    child.on("close", (status) => {
      clearTimeout(timer);
      process.off("exit", kill);
      if (status === 0) resolve(JSON.parse(out));
      else reject(new Error(`the load on ${url} failed`));
    });
  });
}

/**
 * @param {readonly Load[]} loads
 * @returns {Load}
 */
function median(loads) {
  const of = (/** @type {keyof Load} */ key) =>
    quantile(
      loads.map((load) => load[key]),
      0.5,
    );
  return { perSecond: of("perSecond"), p50: of("p50"), p99: of("p99"), cpuMs: of("cpuMs") };
}
