// The dimensions in which work grows, and the programs that grow in them.
import { program } from "../root.mjs";

/**
 * What one operation of a program stands for, as measured.
 * @typedef {object} Operation
 * @property {number} allocations that it makes; each is freed, now or later
 * @property {number} live blocks that are there for each operation at the peak
 */

/**
 * @typedef {object} Dimension
 * @property {string} title
 * @property {string} unit
 * @property {readonly number[]} points
 * @property {readonly number[]} short points of the short version
 * @property {string} script
 * @property {(point: number, operation: Operation) => readonly number[]} args of the script
 * @property {(point: number, operation: Operation) => number} operations within the milliseconds that it prints
 * @property {readonly [readonly number[], readonly number[]]} calibration arguments of two runs whose difference tells
 *   what an operation is: the first number is larger by `calibrated` in the second
 * @property {number} calibrated
 */

const DEPTH = 20;
/** Operations of the dimensions other than the number of records. */
const OPERATIONS = 200_000;
const CALIBRATED = 20_000;

const loop = {
  script: program("scaled-loop.cjs"),
  calibration: /** @type {Dimension["calibration"]} */ ([
    [CALIBRATED, DEPTH],
    [2 * CALIBRATED, DEPTH],
  ]),
  calibrated: CALIBRATED,
};

/** @type {Record<string, Dimension>} */
export const dimensions = {
  records: {
    title: "the more is recorded",
    unit: "records",
    points: [1e6, 3e6, 1e7, 3e7, 1e8],
    short: [1e6, 1e7],
    ...loop,
    args: (records, operation) => [iterations(records, operation), DEPTH],
    operations: iterations,
  },
  live: {
    title: "the more is live",
    unit: "live allocations",
    points: [1e4, 1e5, 1e6, 1e7],
    short: [1e4, 1e6],
    script: program("live-messages.cjs"),
    args: (live, operation) => [Math.round(live / operation.live), OPERATIONS],
    operations: () => OPERATIONS,
    calibration: [
      [CALIBRATED, 0],
      [2 * CALIBRATED, 0],
    ],
    calibrated: CALIBRATED,
  },
  depth: {
    title: "the deeper the stack",
    unit: "calls deep",
    points: [10, 20, 50, 100, 200],
    short: [10, 200],
    ...loop,
    args: (depth) => [OPERATIONS, depth],
    operations: () => OPERATIONS,
  },
  threads: {
    title: "the more threads allocate",
    unit: "threads",
    points: [1, 2, 4, 8, 16],
    short: [1, 4],
    script: program("loop-in-threads.cjs"),
    args: (threads) => [2 * OPERATIONS, threads],
    operations: () => 2 * OPERATIONS,
    calibration: [
      [CALIBRATED, 1],
      [2 * CALIBRATED, 1],
    ],
    calibrated: CALIBRATED,
  },
};

/**
 * @param {number} records
 * @param {Operation} operation
 */
function iterations(records, { allocations }) {
  // An allocation and its free.
  return Math.round(records / allocations / 2);
}
