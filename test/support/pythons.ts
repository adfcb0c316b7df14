import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync } from "node:fs";
import path from "node:path";
import { buildPython } from "../../scripts/build-python.mjs";
import { type Python, testedPythons } from "../../scripts/pythons.mjs";
import { root } from "./heapray.js";

export type { Python };

/** The versions of CPython that tracking is tested on: the newest here, or with HEAPRAY_PYTHON_VERSIONS=all, every one. */
export const pythons: readonly Python[] = testedPythons();

const built = new Map<string, string>();

/** The binary of an environment that has heapray, built when it is first asked for. */
export function withHeapray(python: Python): string {
  const binary = built.get(python.path) ?? buildPython(python);
  built.set(python.path, binary);
  return binary;
}

const MEMRAY = "memray==1.20.0";

/**
 * The binary of an environment that has memray, and nothing of heapray's.
 * @returns undefined where it cannot be installed: there is no network, say
 */
export function withMemray(python: Python): string | undefined {
  const folder = path.join(root, "build", "python", `cpython-${python.version}`, MEMRAY);
  const binary = path.join(folder, "bin", "python");
  if (existsSync(path.join(folder, "installed"))) return binary;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(path.dirname(folder), { recursive: true });
  const made = spawnSync(python.path, ["-m", "venv", folder]).status === 0;
  const install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:", MEMRAY];
  if (!made || spawnSync(binary, install).status !== 0) return undefined;
  mkdirSync(path.join(folder, "installed"));
  return binary;
}
