// Where Python's programs run: an environment of their own below build/, with heapray of this checkout, memray and NumPy.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { root } from "../root.mjs";

/** The version that captures and figures are compared with. */
const MEMRAY = "1.20.0";

/**
 * @typedef {object} Environment
 * @property {string} python the interpreter
 * @property {string} versions for a caption
 */

/**
 * @param {string} python the interpreter that it is made from
 * @returns {Environment}
 * @throws {Error} one of them cannot be installed
 */
export function environment(python) {
  const [base = "", version = ""] = print(python, "sys.executable, platform.python_version()").split(" ");
  const folder = path.join(root, "build", "bench-python", version);
  const own = path.join(folder, "bin", "python");
  if (!existsSync(own)) run(base, ["-m", "venv", "--clear", folder]);
  const stamp = path.join(folder, "installed.txt");
  const wanted = [MEMRAY, sources()].join(" ");
  if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== wanted) {
    run(own, ["-m", "pip", "install", "--quiet", `memray==${MEMRAY}`, "numpy"]);
    run(own, ["-m", "pip", "install", "--quiet", "--force-reinstall", "--no-deps", path.join(root, "python")]);
    writeFileSync(stamp, wanted);
  }
  const numpy = print(own, "importlib.metadata.version('numpy')");
  return { python: own, versions: `CPython ${version}, memray ${MEMRAY}, NumPy ${numpy}` };
}

/** @returns {string} changes with what heapray's package is built from */
function sources() {
  const hash = createHash("sha256");
  for (const folder of ["native", "python"]) {
    const files = readdirSync(path.join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => !/(^|\/)(build|__pycache__|[^/]*\.egg-info)(\/|$)|\.so$/.test(name))
      .map((name) => path.join(root, folder, name))
      .filter((file) => statSync(file).isFile());
    for (const file of files.sort()) hash.update(file).update(readFileSync(file));
  }
  return hash.digest("hex");
}

/**
 * @param {string} python
 * @param {string} values Python's expressions
 */
function print(python, values) {
  return run(python, ["-c", `import importlib.metadata, platform, sys; print(${values})`]).trim();
}

/**
 * @param {string} binary
 * @param {string[]} args
 * @returns {string} what it printed
 */
function run(binary, args) {
  const { status, stdout, stderr, error } = spawnSync(binary, args, { cwd: root, encoding: "utf8" });
  if (status === 0) return stdout;
  throw new Error(`${[binary, ...args].join(" ")} failed: ${error?.message ?? stderr.trim()}`);
}
