// Runs test/stress/stress.cjs for some minutes, divided among the Node.js versions at hand: `npm run stress`.
//   node scripts/stress.mjs [--minutes <n>] [--node <name>]     e.g. --node node24; 4 minutes on all of them by default
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const root = path.resolve(fileURLToPath(import.meta.url), "../..");
const { values } = parseArgs({ options: { minutes: { type: "string", default: "4" }, node: { type: "string" } } });
const minutes = Number(values.minutes);
if (!(minutes > 0)) throw new Error("--minutes takes a number above 0.");

const matrix = path.join(root, ".matrix/node_modules");
const installed = existsSync(matrix) ? readdirSync(matrix).filter((name) => /^node\d+$/.test(name)) : [];
const versions = [
  { name: `node${process.versions.node.split(".")[0]}`, binary: process.execPath },
  ...installed.map((name) => ({ name, binary: path.join(matrix, name, "bin/node") })),
].filter(({ name }) => values.node === undefined || name === values.node);
if (versions.length === 0) throw new Error(`there is no ${values.node}; the versions are node20 and those in .matrix.`);

const folder = mkdtempSync(path.join(tmpdir(), "heapray-stress-"));
try {
  const addon = path.join(folder, "process-state.node");
  const include = path.resolve(realpathSync(process.execPath), "../../include/node");
  const source = path.join(root, "test/tracking/programs/process-state.c");
  const made = spawnSync("gcc", ["-shared", "-fPIC", "-O2", "-D_GNU_SOURCE", `-I${include}`, "-o", addon, source]);
  if (made.status !== 0) throw new Error(`the addon could not be built:\n${made.stderr}`);
  const seconds = Math.ceil((minutes * 60) / versions.length);
  for (const { name, binary } of versions) {
    console.log(`== ${name}, ${seconds} s`);
    const program = path.join(root, "test/stress/stress.cjs");
    const args = ["--expose-gc", program, path.join(root, "dist/index.cjs"), folder, String(seconds), addon];
    const { status, signal } = spawnSync(binary, args, { stdio: "inherit", timeout: (seconds + 60) * 1000 });
    console.log(`== ${name}: ${status === 0 ? "passed" : `FAILED (${signal ?? status})`}`);
    if (status !== 0) process.exitCode = 1;
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
