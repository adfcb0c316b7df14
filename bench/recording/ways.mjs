// The ways in which a program is run: alone, tracked, and under the peers.
import { spawnSync } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { root } from "../root.mjs";

/** @typedef {readonly [string, ...string[]]} CommandLine */

/**
 * @typedef {object} Way
 * @property {string} title
 * @property {string} against the way that it is compared to
 * @property {boolean} [peer] not heapray's
 * @property {(node: string, folder: string) => CommandLine} command what comes before the script; files go into `folder`
 * @property {() => boolean} [installed] always, unless told
 */

const peers = fileURLToPath(new URL("peers", import.meta.url));

/** @type {Way} */
const untracked = { title: "untracked", against: "untracked", command: (node) => [node] };

/** @type {Record<string, Way>} */
export const ways = {
  tracked: heapray("every allocation", "untracked", []),
  native: heapray("with native frames", "untracked", ["--native"]),
  aggregate: heapray("aggregated", "tracked", ["--aggregate"]),
  "js-heap": heapray("with JavaScript objects", "tracked", ["--trace-js-heap"]),
  heaptrack: {
    ...peer("heaptrack", (node, folder) => ["heaptrack", "-o", path.join(folder, "heaptrack"), node]),
    installed: () => spawnSync("heaptrack", ["--version"]).status === 0,
  },
  "heap-prof": peer("--heap-prof", (node, folder) => [node, "--heap-prof", "--heap-prof-dir", folder]),
  "sampling-heap": peer("V8's sampling heap profiler, 512 KiB", (node) => [
    node,
    "--require",
    path.join(peers, "sampling-heap.cjs"),
  ]),
  "cpu-prof": peer("--cpu-prof", (node, folder) => [node, "--cpu-prof", "--cpu-prof-dir", folder]),
  "idle-cpu-profiler": peer("V8's CPU profiler, idle", (node) => [
    node,
    "--require",
    path.join(peers, "idle-cpu-profiler.cjs"),
  ]),
};

/**
 * @param {string} name
 * @returns {Way}
 */
export function wayNamed(name) {
  const way = name === "untracked" ? untracked : ways[name];
  if (!way) throw new Error(`there is no way ${name}.`);
  return way;
}

/** @param {string} folder */
export function captureIn(folder) {
  return path.join(folder, "capture.bin");
}

/**
 * @param {string} title
 * @param {string} against
 * @param {readonly string[]} flags
 * @returns {Way}
 */
function heapray(title, against, flags) {
  const run = (/** @type {string} */ folder) => ["run", "-q", "-f", "--no-compress", "-o", captureIn(folder), ...flags];
  return { title, against, command: (node, folder) => [node, path.join(root, "bin/heapray.js"), ...run(folder)] };
}

/**
 * @param {string} title
 * @param {Way["command"]} command
 * @returns {Way}
 */
function peer(title, command) {
  return { title, against: "untracked", peer: true, command };
}
