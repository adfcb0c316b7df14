// Where Python's programs run: an environment of their own below build/, with heapray of this checkout, memray and
// whatever else the programs need.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { buildPython } from "../../scripts/build-python.mjs";
import { askPython } from "../../scripts/pythons.mjs";
import { root } from "../root.mjs";

/** The version that captures and figures are compared with. */
export const MEMRAY = "1.20.0";

/**
 * @param {string} binary the interpreter that it is made from
 * @param {string} name of its folder
 * @param {readonly string[]} [packages] of PyPI, besides memray
 * @returns {{ python: string, version: string }} its interpreter, and CPython's version
 * @throws {Error} it cannot be made, or something in it not be installed
 */
export function environment(binary, name, packages = []) {
  const base = askPython(binary);
  if (!base) throw new Error(`${binary} is no CPython 3.9 to 3.14 with its headers.`);
  const folder = path.join(root, "build", name, `cpython-${base.version}`);
  const python = path.join(folder, "bin", "python");
  const stamp = path.join(folder, "installed.txt");
  const wanted = [base.path, `memray==${MEMRAY}`, ...packages].join("\n");
  if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== wanted) {
    run(base.path, ["-m", "venv", "--clear", folder]);
    run(python, ["-m", "pip", "install", "--quiet", `memray==${MEMRAY}`, ...packages]);
    writeFileSync(stamp, wanted);
  }
  const site = path.join("lib", base.name, "site-packages");
  const heapray = path.resolve(buildPython(base), "../..", site);
  writeFileSync(path.join(folder, site, "heapray.pth"), `${heapray}\n`);
  return { python, version: base.version };
}

/**
 * @param {string} binary
 * @param {string[]} args
 */
function run(binary, args) {
  const { status, stderr, error } = spawnSync(binary, args, { cwd: root, encoding: "utf8" });
  if (status !== 0) throw new Error(`${[binary, ...args].join(" ")} failed: ${error?.message ?? stderr.trim()}`);
}
