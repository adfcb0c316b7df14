// Following a running program: whether reading keeps up with it, what it costs, and how often figures are there anew.
import { spawn } from "node:child_process";
import { createServer } from "node:net";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { quantile } from "../paired.mjs";
import { root } from "../root.mjs";
import { count } from "../table.mjs";

/** As often as the live view asks, milliseconds. */
const ASK_MS = 200;

/**
 * Records per second (0: as fast as the program can) and distinct stacks.
 * @type {Record<string, readonly [rate: number, stacks: number]>}
 */
const FLOODS = {
  million: [1e6, 1],
  stacks: [1e6, 100_000],
  "many-stacks": [1e6, 1_000_000],
  unthrottled: [0, 1],
};

/**
 * @typedef {object} Figures
 * @property {string} flood
 * @property {number} stacks
 * @property {number} recordsPerSecond allocations and frees
 * @property {number} cpuShare of the reading process, all its threads; 1 is one core
 * @property {number} answersPerSecond tables of locations
 * @property {number} medianAnswerMs from asking to having
 * @property {number} mostBehindMs
 * @property {number} residentBytes of the reading process
 * @property {string} ended
 */

/** @type {import("../benchmarks.mjs").Benchmark} */
export const live = {
  title: "following a running program: whether reading keeps up with it, and what that takes",
  parts: Object.keys(FLOODS),
  async run({ settings, parts, results, progress }) {
    const seconds = settings.short ? 2 : 8;
    /** @type {Figures[]} */
    const figures = [];
    for (const part of parts) {
      progress.start(`live: ${part}`);
      const [rate, stacks] = FLOODS[part] ?? [0, 1];
      figures.push(await follow(part, rate || 1e9, stacks, seconds));
      progress.stop();
    }
    results.add(
      {
        caption: `Live: a program that allocates and frees for ${seconds} s, followed by a live session`,
        columns: ["", "stacks", "records/s", "reader's CPU", "tables/s", "ms a table", "most ms behind", "end"],
        rows: figures.map((one) => [
          one.flood,
          count(one.stacks),
          count(one.recordsPerSecond),
          `${(100 * one.cpuShare).toFixed(0)}%`,
          one.answersPerSecond.toFixed(1),
          one.medianAnswerMs.toFixed(1),
          count(one.mostBehindMs),
          one.ended,
        ]),
        notes: ["100% of CPU is one core. `exited`: the reader kept up until the program's end."],
      },
      figures,
    );
  },
};

/**
 * @param {string} flood
 * @param {number} rate records per second
 * @param {number} stacks
 * @param {number} seconds
 * @returns {Promise<Figures>}
 */
async function follow(flood, rate, stacks, seconds) {
  const { LiveSession } = await import("../../dist/live/live-session.js");
  const port = await freePort();
  const program = [path.join(root, "bench/live/flood.cjs"), rate, seconds, stacks].map(String);
  const options = ["run", "-q", "--live-remote", "--live-port", String(port)];
  const child = spawn(process.execPath, [path.join(root, "bin/heapray.js"), ...options, ...program], {
    stdio: "ignore",
  });
  const ended = new Promise((resolve) => child.on("exit", resolve));
  const session = await LiveSession.connect({ port, timeoutMs: 20_000 });
  try {
    const [start, cpu] = [performance.now(), process.cpuUsage()];
    /** @type {number[]} */
    const answers = [];
    let mostBehindMs = 0;
    while (session.end === undefined) {
      const asked = performance.now();
      await session.locations();
      answers.push(performance.now() - asked);
      mostBehindMs = Math.max(mostBehindMs, session.state.behindMs);
      await sleep(Math.max(0, ASK_MS - (performance.now() - asked)));
    }
    const elapsed = (performance.now() - start) / 1000;
    const { user, system } = process.cpuUsage(cpu);
    return {
      flood,
      stacks,
      // Of this program's allocations, all but a few are freed again.
      recordsPerSecond: (2 * session.state.totalAllocations) / elapsed,
      cpuShare: (user + system) / 1e6 / elapsed,
      answersPerSecond: answers.length / elapsed,
      medianAnswerMs: quantile(answers, 0.5),
      mostBehindMs,
      residentBytes: process.memoryUsage.rss(),
      ended: session.ended,
    };
  } finally {
    await session.close();
    await ended;
  }
}

/** @returns {Promise<number>} */
function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}
