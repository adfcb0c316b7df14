// Installs the Node.js versions of scripts/node-matrix/package.json into .matrix/ and builds the agent for each.
//   node scripts/node-matrix.mjs [--newest]    --newest builds that of the newest only
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { buildAgent } from "./build-native.mjs";

const root = path.resolve(fileURLToPath(import.meta.url), "../..");
const matrix = path.join(root, ".matrix");
const pins = path.join(root, "scripts", "node-matrix");
const stamp = path.join(matrix, "installed.json");

function install() {
  const wanted = readFileSync(path.join(pins, "package-lock.json"), "utf8");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;
  mkdirSync(matrix, { recursive: true });
  for (const file of ["package.json", "package-lock.json"]) {
    copyFileSync(path.join(pins, file), path.join(matrix, file));
  }
  copyFileSync(path.join(root, ".npmrc"), path.join(matrix, ".npmrc"));
  const { status } = spawnSync("npm", ["ci", "--ignore-scripts"], { cwd: matrix, stdio: ["ignore", 2, 2] });
  if (status !== 0) throw new Error("npm could not install the Node.js versions; its output is above.");
  writeFileSync(stamp, wanted);
}

try {
  install();
  const { dependencies } = JSON.parse(readFileSync(path.join(pins, "package.json"), "utf8"));
  const names = Object.keys(dependencies);
  for (const name of process.argv.includes("--newest") ? names.slice(-1) : names) {
    const agent = buildAgent(path.join(matrix, "node_modules", name, "bin", "node"));
    console.error(`${name}: ${path.relative(root, agent)}`);
  }
} catch (error) {
  console.error(`node-matrix: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
