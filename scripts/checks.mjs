// All checks of the project, one after the other: `npm test`. Every test counts as one check and so does every other
// step. The last line is `N passed, N failed`; build/checks.txt keeps it.
//   node scripts/checks.mjs [step]...      only these steps
//   node scripts/checks.mjs --with-bench   the short version of the benchmarks too; what they measure fails nothing
//   node scripts/checks.mjs --all-versions  tracking on every Node.js of the matrix, not just the running one and the
//                                           newest, and on every CPython found, one of the matrix among them
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.resolve(fileURLToPath(import.meta.url), "../..");
const report = path.join(root, "build", "test-report.json");
const total = path.join(root, "build", "checks.txt");

/**
 * Each step's commands for Node.js, in the order in which they build on each other.
 * @type {Record<string, string[][]>}
 */
const steps = {
  lint: [["node_modules/@biomejs/biome/bin/biome", "check", "--error-on-warnings", "."], ["scripts/python-style.mjs"]],
  format: [["node_modules/clang-format-node/build/cli.js", "--dry-run", "--Werror", ...nativeSources()]],
  arrows: [["node_modules/dependency-cruiser/bin/dependency-cruise.mjs", "src", "ui/src"]],
  agent: [["scripts/build-native.mjs"]],
  build: [["scripts/build.mjs"]],
  types: ["tsconfig.json", "tsconfig.test.json", "ui/tsconfig.json", "examples/photo-catalog/tsconfig.json"].map(
    (project) => ["node_modules/typescript/bin/tsc", "--noEmit", "-p", project],
  ),
  matrix: [["scripts/node-matrix.mjs", ...(process.argv.includes("--all-versions") ? [] : ["--newest"])]],
  bench: [["bench/bench.mjs", "--short"]],
};

const asked = process.argv.slice(2).filter((argument) => argument !== "--with-bench" && argument !== "--all-versions");
const withBench = process.argv.includes("--with-bench");
const allVersions = process.argv.includes("--all-versions");
if (allVersions) {
  process.env.HEAPRAY_NODE_VERSIONS = "all";
  process.env.HEAPRAY_PYTHON_VERSIONS = "all";
  // Where Debian cannot be reached, the tests do with what is there.
  run(["scripts/python-matrix.mjs"]);
}
const usual = Object.keys(steps).filter((name) => name !== "bench" || withBench);
const wanted = asked.length > 0 ? asked : [...usual, "tests"];
let passed = 0;
let failed = 0;
let skipped = 0;
/** @type {string[]} */
const failures = [];

mkdirSync(path.dirname(total), { recursive: true });
for (const file of [report, total]) rmSync(file, { force: true });
for (const name of wanted) {
  const start = Date.now();
  console.log(`\n== ${name}`);
  const ok = name === "tests" ? runTests() : runStep(name);
  console.log(`== ${name}: ${ok ? "passed" : "FAILED"} (${((Date.now() - start) / 1000).toFixed(1)} s)`);
}

const line = `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
writeFileSync(total, `${line}\n`);
if (failures.length > 0) console.log(`\nFailed: ${failures.join(", ")}`);
console.log(`\n${line}`);
process.exitCode = failed > 0 ? 1 : 0;

/** @param {string} name */
function runStep(name) {
  const commands = steps[name];
  if (!commands) throw new Error(`there is no step ${name}; the steps are ${Object.keys(steps).join(", ")}, tests.`);
  const ok = commands.map(run).every(Boolean);
  count(name, ok);
  return ok;
}

function runTests() {
  const vitest = ["node_modules/vitest/vitest.mjs", "run", "--reporter=default", "--reporter=json"];
  const ended = run([...vitest, `--outputFile.json=${report}`]);
  if (!existsSync(report)) {
    count("tests", false);
    return false;
  }
  /** @type {import("vitest/reporters").JsonTestResults} */
  const results = JSON.parse(readFileSync(report, "utf8"));
  passed += results.numPassedTests;
  failed += results.numFailedTests;
  skipped += results.numPendingTests + results.numTodoTests;
  for (const file of results.testResults) {
    const broken = file.assertionResults.filter(({ status }) => status === "failed");
    failures.push(...broken.map(({ fullName }) => fullName));
    // A file that does not load has no tests to count.
    if (file.status === "failed" && broken.length === 0) count(path.relative(root, file.name), false);
  }
  if (!ended && failed === 0) count("vitest", false);
  return ended;
}

/** @param {string[]} command of Node.js */
function run(command) {
  return spawnSync(process.execPath, command, { cwd: root, stdio: ["ignore", "inherit", "inherit"] }).status === 0;
}

/**
 * @param {string} name
 * @param {boolean} ok
 */
function count(name, ok) {
  if (ok) passed++;
  else {
    failed++;
    failures.push(name);
  }
}

function nativeSources() {
  return readdirSync(path.join(root, "native"), { recursive: true, encoding: "utf8" })
    .filter((file) => /\.(cc|cpp|h|hpp)$/.test(file))
    .map((file) => path.join("native", file));
}
