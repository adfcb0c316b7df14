// Compares two ways of doing the same work on a machine whose speed wanders: A and B run in turns, each pair gives one
// ratio, and the median of the ratios is the answer.
import { setImmediate } from "node:timers/promises";
import { timedRun } from "./timed-run.mjs";

/** @typedef {import("./timed-run.mjs").Run} Run */

/**
 * @typedef {object} Ratio B's figure as a multiple of A's
 * @property {number} median
 * @property {number} low the lower quartile
 * @property {number} high the upper quartile
 * @property {number} a median of A's figures
 * @property {number} b median of B's figures
 */

/**
 * @template T
 * @typedef {object} Pair
 * @property {T} a
 * @property {T} b
 */

/**
 * @typedef {object} PairedRuns
 * @property {Ratio} work milliseconds of the work alone
 * @property {Ratio} wall milliseconds of the whole process
 * @property {Ratio} cpu milliseconds of the processor, of the process and all that it started
 * @property {Pair<Run>[]} runs
 */

/**
 * Runs A and B in turns, `pairs` times, after one pair that is not counted.
 * @param {readonly [string, ...string[]]} a
 * @param {readonly [string, ...string[]]} b
 * @param {number} pairs
 * @param {{ warmUp?: boolean, onPair?: () => void }} [options] `onPair` is called after each pair
 * @returns {Promise<PairedRuns>}
 */
export async function pairedRuns(a, b, pairs, { warmUp = true, onPair } = {}) {
  if (warmUp) {
    timedRun(a);
    timedRun(b);
  }
  const runs = [];
  for (let i = 0; i < pairs; i++) {
    // Runs block, and signals wait for them.
    await setImmediate();
    runs.push(
      inTurns(
        i,
        () => timedRun(a),
        () => timedRun(b),
      ),
    );
    onPair?.();
  }
  return {
    work: ratioOf(runs, ({ workMs }) => workMs),
    wall: ratioOf(runs, ({ wallMs }) => wallMs),
    cpu: ratioOf(runs, ({ cpuMs }) => cpuMs),
    runs,
  };
}

/**
 * Whichever goes first may find the machine in another state: they take turns in that too.
 * @template T
 * @param {number} index of the pair
 * @param {() => T} a
 * @param {() => T} b
 * @returns {Pair<T>}
 */
export function inTurns(index, a, b) {
  if (index % 2 === 0) return { a: a(), b: b() };
  const second = b();
  return { a: a(), b: second };
}

/**
 * @template T
 * @param {readonly Pair<T>[]} pairs
 * @param {(of: T) => number} figure
 * @returns {Ratio}
 */
export function ratioOf(pairs, figure) {
  const ratios = pairs.map(({ a, b }) => figure(b) / figure(a));
  return {
    median: quantile(ratios, 0.5),
    low: quantile(ratios, 0.25),
    high: quantile(ratios, 0.75),
    a: quantile(
      pairs.map(({ a }) => figure(a)),
      0.5,
    ),
    b: quantile(
      pairs.map(({ b }) => figure(b)),
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
