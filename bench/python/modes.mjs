// What is recorded of Python's programs, in the words of both trackers' command lines.
import path from "node:path";
import { root } from "../root.mjs";

/** @typedef {readonly [string, ...string[]]} CommandLine */

/**
 * @typedef {object} Mode
 * @property {string} title
 * @property {readonly string[]} flags the same for both
 */

/** @type {Record<string, Mode>} */
export const modes = {
  tracked: { title: "every allocation", flags: ["--no-compress"] },
  native: { title: "with native frames", flags: ["--no-compress", "--native"] },
  pymalloc: { title: "with pymalloc's allocations", flags: ["--no-compress", "--trace-python-allocators"] },
  aggregate: { title: "aggregated", flags: ["--no-compress", "--aggregate"] },
  compressed: { title: "every allocation, compressed at the end", flags: [] },
  "pymalloc-compressed": {
    title: "with pymalloc's allocations, compressed at the end",
    flags: ["--trace-python-allocators"],
  },
};

/**
 * @param {string} python
 * @param {string} capture
 * @param {Mode} mode
 * @returns {CommandLine} what comes before the script
 */
export function underMemray(python, capture, { flags }) {
  return [python, "-m", "memray", "run", "-q", "-f", "-o", capture, ...flags];
}

/**
 * @param {string} node
 * @param {string} python
 * @param {string} capture
 * @param {Mode} mode
 * @returns {CommandLine} what comes before the script
 */
export function underHeapray(node, python, capture, { flags }) {
  const heapray = path.join(root, "bin/heapray.js");
  return [node, heapray, "run", "-q", "-f", "-o", capture, ...flags, "--python", python];
}
