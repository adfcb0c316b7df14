// The versions of CPython on this machine that heapray tracks and that have their headers, from the oldest to the newest.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

/**
 * @typedef {object} Python
 * @property {string} name `python3.11`, say
 * @property {string} version `3.11.7`, say
 * @property {string} path the binary
 */

const matrix = fileURLToPath(new URL("../.matrix/python", import.meta.url));
const OLDEST = 9;
const NEWEST = 14;

const QUESTION = `
import json, os, platform, sys, sysconfig
print(json.dumps({
    "implementation": sys.implementation.name,
    "version": platform.python_version(),
    "path": sys.executable,
    "headers": os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")),
    "gil": not sysconfig.get_config_var("Py_GIL_DISABLED"),
}))`;

/**
 * @param {string} binary
 * @returns {Python | undefined} undefined where it is none that an agent can be built for
 */
export function askPython(binary) {
  const { stdout, status } = spawnSync(binary, ["-I", "-c", QUESTION], { encoding: "utf8" });
  if (status !== 0) return undefined;
  const { implementation, version, path, headers, gil } = JSON.parse(stdout);
  const [major, minor] = version.split(".").map(Number);
  if (implementation !== "cpython" || major !== 3 || minor < OLDEST || minor > NEWEST || !headers || !gil)
    return undefined;
  return { name: `python3.${minor}`, version, path };
}

/** @returns {Python[]} one of each minor version: the first on the PATH, else pyenv's newest, else that of the matrix */
export function findPythons() {
  const minors = Array.from({ length: NEWEST - OLDEST + 1 }, (_, i) => OLDEST + i);
  const folders = (process.env.PATH ?? "").split(path.delimiter).filter((folder) => folder !== "");
  return minors.flatMap((minor) => {
    const onPath = folders.map((folder) => path.join(folder, `python3.${minor}`));
    const candidates = [...onPath, ...pyenvs(minor), path.join(matrix, `3.${minor}`, "usr/bin", `python3.${minor}`)];
    for (const candidate of candidates) {
      const python = askPython(candidate);
      // What is called 3.11 on the PATH can be a switch that gives another version.
      if (python?.name === `python3.${minor}`) return [python];
    }
    return [];
  });
}

/**
 * The versions that tests run on: the newest, or where HEAPRAY_PYTHON_VERSIONS is "all", every one.
 * @returns {Python[]}
 */
export function testedPythons() {
  const all = findPythons();
  return process.env.HEAPRAY_PYTHON_VERSIONS === "all" ? all : all.slice(-1);
}

/** @param {number} minor */
function pyenvs(minor) {
  const folder = path.join(process.env.PYENV_ROOT ?? path.join(homedir(), ".pyenv"), "versions");
  /** @type {string[]} */
  let names = [];
  try {
    names = readdirSync(folder).filter((name) => name.startsWith(`3.${minor}.`));
  } catch {
    // There is no pyenv.
  }
  const newestFirst = names.sort((a, b) => b.localeCompare(a, "en", { numeric: true }));
  return newestFirst.map((name) => path.join(folder, name, "bin", "python3"));
}
