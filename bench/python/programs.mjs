// Python's programs; each does as many rounds of its work as its argument says, and prints the milliseconds.
import path from "node:path";
import { root } from "../root.mjs";

/**
 * @typedef {object} Program
 * @property {string} title
 * @property {string} script
 * @property {number} rounds some seconds
 * @property {number} shortRounds a few hundred milliseconds
 */

/** @type {Record<string, Program>} */
export const programs = {
  json: { title: "json", script: script("json_documents"), rounds: 420, shortRounds: 60 },
  regex: { title: "regex", script: script("regex_logs"), rounds: 120, shortRounds: 20 },
  numpy: { title: "numpy", script: script("numpy_arrays"), rounds: 130, shortRounds: 15 },
  deltablue: { title: "deltablue", script: script("deltablue"), rounds: 80, shortRounds: 8 },
};

/** @param {string} name */
function script(name) {
  return path.join(root, "bench/python/programs", `${name}.py`);
}
