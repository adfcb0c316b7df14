// Builds the example program, tracks it, and leaves its flame graph in demo-out/.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.resolve(fileURLToPath(import.meta.url), "../..");
const example = "examples/photo-catalog";
const capture = "demo-out/photo-catalog.bin";
const page = "demo-out/photo-catalog.html";

/** @param {string[]} args */
function node(...args) {
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}

/** @param {string[]} args */
const heapray = (...args) => node("bin/heapray.js", ...args);

if (!existsSync(path.join(root, "dist/cli/main.js"))) node("scripts/build.mjs");
mkdirSync(path.join(root, "demo-out"), { recursive: true });
node("node_modules/typescript/bin/tsc", "-p", example);

console.log(`Running ${example} under heapray (some ten seconds) ...\n`);
heapray("run", "-q", "-f", "-o", capture, `${example}/dist/main.js`);
console.log("");
heapray("flamegraph", "-f", "-o", page, capture);
console.log("");
heapray("summary", capture);

const { FileReader } = await import("../dist/analysis/file-reader.js");
const share = shareUnder(new FileReader(path.join(root, capture)), path.join(root, example, "src"));
console.log(`\n${(share * 100).toFixed(1)}% of the peak has a .ts line of the example on its stack.`);
console.log(`Flame graph: ${path.join(root, page)}`);

/**
 * @param {import("../dist/analysis/file-reader.js").FileReader} reader
 * @param {string} folder
 * @returns {number} of the peak's bytes, the part whose stack has a frame in a .ts file below `folder`
 */
function shareUnder(reader, folder) {
  let all = 0;
  let under = 0;
  for (const record of reader.getHighWatermarkAllocationRecords()) {
    all += record.size;
    const named = record.stackTrace().some(({ file }) => isBelow(file, folder) && file.endsWith(".ts"));
    if (named) under += record.size;
  }
  return all === 0 ? 0 : under / all;
}

/**
 * @param {string} file a path or a file: URL
 * @param {string} folder
 */
function isBelow(file, folder) {
  const local = file.startsWith("file:") ? fileURLToPath(file) : file;
  return local.startsWith(folder + path.sep);
}
