// The programs that are run tracked and untracked, and what the ratios should be.
import { program } from "../root.mjs";

/**
 * @typedef {object} Program
 * @property {string} title
 * @property {readonly string[]} script with its arguments; it prints the milliseconds of its work
 * @property {Readonly<Record<string, number>>} goals the ratio of the work, by way
 * @property {readonly string[]} short the ways that the short version runs; none: it leaves the program out
 */

const onTop = { "js-heap": 1.1, aggregate: 1 };
const mix = { tracked: 1.15, ...onTop };

/** @type {Record<string, Program>} */
export const programs = {
  loop: {
    title: "200k `Buffer.allocUnsafeSlow(200)`, 20 calls deep",
    script: [program("allocation-loop.cjs")],
    goals: { tracked: 1.5, native: 1.8, ...onTop },
    short: ["tracked", "native", "aggregate", "js-heap"],
  },
  hashing: { title: "SHA-256 of 400k short texts", script: [program("hashing.cjs")], goals: mix, short: ["tracked"] },
  zlib: { title: "zlib, 16 kB documents", script: [program("zlib.cjs")], goals: mix, short: ["tracked"] },
  json: { title: "JSON, 60 kB documents", script: [program("json.cjs")], goals: mix, short: [] },
  tsc: { title: "`tsc` on this project", script: [program("tsc.cjs")], goals: mix, short: ["tracked"] },
};
