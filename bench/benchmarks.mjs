// All benchmarks, by the names that the command line knows them by.
import { live } from "./live/live.mjs";
import { page } from "./page/page.mjs";
import { python } from "./python/python.mjs";
import { reading } from "./reading/reading.mjs";
import { recording } from "./recording/recording.mjs";
import { scale } from "./scale/scale.mjs";
import { size } from "./size/size.mjs";

/**
 * @typedef {object} Benchmark
 * @property {string} title
 * @property {readonly string[]} parts what can be asked for alone; with `--short`, some of them may be left out
 * @property {(context: Context) => void | Promise<void>} run
 */

/**
 * @typedef {object} Context
 * @property {import("./command-line.mjs").Settings} settings
 * @property {readonly string[]} parts to run
 * @property {string} folder for captures and other files; it is removed afterwards
 * @property {import("./results.mjs").Results} results
 * @property {import("./progress.mjs").Progress} progress
 */

/** @type {Record<string, Benchmark>} */
export const benchmarks = { recording, size, reading, page, live, python, scale };
