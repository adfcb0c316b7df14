// Compares two ways of doing the same work on a machine whose speed wanders: A and B run in turns, each pair gives one
// ratio, and the median of the ratios is the answer.
import { spawnSync } from "node:child_process";

/**
 * @typedef {object} Run
 * @property {number} wallMs of the whole process
 * @property {number} workMs of the work alone, as the program printed it
 */

/**
 * @typedef {object} Ratio B's time as a multiple of A's
 * @property {number} median
 * @property {number} low the lower quartile
 * @property {number} high the upper quartile
 * @property {number} a median milliseconds of A
 * @property {number} b median milliseconds of B
 */

/**
 * @param {readonly [string, ...string[]]} command whose standard output is a number of milliseconds
 * @returns {Run}
 * @throws {Error} the command failed
 */
export function timedRun([binary, ...args]) {
  const start = process.hrtime.bigint();
  const { status, signal, stdout, stderr, error } = spawnSync(binary, args, { encoding: "utf8" });
  const wallMs = Number(process.hrtime.bigint() - start) / 1e6;
  if (error || status !== 0) throw new Error(`${binary} ${args.join(" ")}: ${error ?? signal ?? status}\n${stderr}`);
  return { wallMs, workMs: Number.parseFloat(stdout) };
}

/**
 * Runs A and B in turns, `pairs` times, after one pair that is not counted.
 * @param {readonly [string, ...string[]]} a
 * @param {readonly [string, ...string[]]} b
 * @param {number} pairs
 * @returns {{ work: Ratio, wall: Ratio }}
 */
export function pairedRuns(a, b, pairs) {
  timedRun(a);
  timedRun(b);
  const runs = Array.from({ length: pairs }, (_, i) => {
    // Whichever goes first may find the machine in another state: take turns in that too.
    if (i % 2 === 0) return { a: timedRun(a), b: timedRun(b) };
    const second = timedRun(b);
    return { a: timedRun(a), b: second };
  });
  return { work: ratio(runs, "workMs"), wall: ratio(runs, "wallMs") };
}

/**
 * @param {readonly { a: Run, b: Run }[]} runs
 * @param {keyof Run} key
 * @returns {Ratio}
 */
function ratio(runs, key) {
  const ratios = runs.map((pair) => pair.b[key] / pair.a[key]);
  return {
    median: quantile(ratios, 0.5),
    low: quantile(ratios, 0.25),
    high: quantile(ratios, 0.75),
    a: quantile(
      runs.map((pair) => pair.a[key]),
      0.5,
    ),
    b: quantile(
      runs.map((pair) => pair.b[key]),
      0.5,
    ),
  };
}

/**
 * @param {readonly number[]} values
 * @param {number} q 0 to 1
 * @returns {number} between two values, in proportion; NaN without values
 */
export function quantile(values, q) {
  const sorted = [...values].sort((x, y) => x - y);
  const at = (sorted.length - 1) * q;
  const [below = NaN, above = below] = sorted.slice(Math.floor(at), Math.floor(at) + 2);
  return below + (above - below) * (at - Math.floor(at));
}
