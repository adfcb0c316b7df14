// Measures heapray: `npm run bench` runs all benchmarks, `npm run bench -- --help` tells the rest.
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import path from "node:path";
import { CommanderError } from "commander";
import { benchmarks } from "./benchmarks.mjs";
import { parseCommandLine } from "./command-line.mjs";
import { Progress } from "./progress.mjs";
import { Results } from "./results.mjs";
import { root } from "./root.mjs";

// What was measured is written, what was made meanwhile is removed.
for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) {
  process.once(signal, () => process.exit(128 + constants.signals[signal]));
}
try {
  await main(process.argv.slice(2));
} catch (error) {
  // Commander has said what it is.
  if (!(error instanceof CommanderError)) console.error(`bench: ${error instanceof Error ? error.message : error}`);
  process.exitCode = error instanceof CommanderError ? error.exitCode : 1;
}

/** @param {string[]} args */
async function main(args) {
  const settings = parseCommandLine(args);
  if (!existsSync(path.join(root, "dist/cli/main.js"))) throw new Error('heapray is not built; run "npm ci" first.');
  const results = new Results(settings, nameOf(settings));
  for (const name of settings.benchmarks) await run(name, settings, results);
  console.log(`Written to ${results.files.join(" and ")}`);
}

/**
 * @param {string} name
 * @param {import("./command-line.mjs").Settings} settings
 * @param {Results} results
 */
async function run(name, settings, results) {
  const benchmark = benchmarks[name];
  if (!benchmark) throw new Error(`there is no benchmark ${name}.`);
  const progress = new Progress();
  const folder = mkdtempSync(path.join(tmpdir(), "heapray-bench-"));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  process.once("exit", remove);
  try {
    const parts = settings.parts.length > 0 ? settings.parts : benchmark.parts;
    await benchmark.run({ settings, parts, folder, results, progress });
  } finally {
    progress.stop();
    process.off("exit", remove);
    remove();
  }
}

/** @param {import("./command-line.mjs").Settings} settings */
function nameOf({ benchmarks, parts, short }) {
  const [first, ...others] = benchmarks;
  const what = others.length > 0 ? ["all"] : [first, ...parts];
  return [...what, ...(short ? ["short"] : [])].join("-");
}
