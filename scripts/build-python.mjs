// Builds the Python package for one or more versions of CPython, each into a virtual environment of its own, for tests and
// benchmarks: build/python/cpython-<version>/venv. Does only what has changed since the last time.
//   node scripts/build-python.mjs [--python <binary>]...
// Without --python it builds for every version that is found on this machine.
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { askPython, findPythons } from "./pythons.mjs";

const root = path.resolve(fileURLToPath(import.meta.url), "../..");

/**
 * @param {import("./pythons.mjs").Python} python
 * @returns {string} the Python of an environment that has heapray
 */
export function buildPython(python) {
  const folder = path.join(root, "build", "python", `cpython-${python.version}`);
  const environment = environmentIn(folder, python);
  const site = path.join(environment, "lib", python.name, "site-packages", "heapray");
  mkdirSync(site, { recursive: true });
  const agent = path.join(folder, "_agent.so");
  run(python.path, [path.join(root, "python", "build_agent.py"), agent], `heapray does not build for ${python.name}`);
  copyChanged(agent, path.join(site, "_agent.so"));
  const sources = path.join(root, "python", "heapray");
  for (const name of readdirSync(sources).filter((name) => /\.(py|pyi|typed)$/.test(name))) {
    copyChanged(path.join(sources, name), path.join(site, name));
  }
  const { version } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"));
  writeFileSync(path.join(site, "_version.py"), `__version__ = "${version}"\n`);
  return path.join(environment, "bin", "python");
}

/**
 * @param {string} folder
 * @param {import("./pythons.mjs").Python} python
 */
function environmentIn(folder, python) {
  const environment = path.join(folder, "venv");
  // Made of this very Python: another one of the same version may be elsewhere.
  const made = path.join(environment, "made-of");
  if (!existsSync(made) || readFileSync(made, "utf8") !== python.path) {
    run(python.path, ["-m", "venv", "--clear", "--without-pip", environment], `${python.path} makes no environment`);
    writeFileSync(made, python.path);
  }
  return environment;
}

/**
 * Replaces a file whose content is another, and never writes into it: a running process may have it mapped.
 * @param {string} from
 * @param {string} to
 */
function copyChanged(from, to) {
  if (existsSync(to) && readFileSync(from).equals(readFileSync(to))) return;
  const unfinished = `${to}.${process.pid}`;
  copyFileSync(from, unfinished);
  renameSync(unfinished, to);
}

/**
 * @param {string} program
 * @param {string[]} args
 * @param {string} otherwise
 */
function run(program, args, otherwise) {
  const { status, error } = spawnSync(program, args, { stdio: ["ignore", 2, 2] });
  if (error) throw new Error(`${otherwise}: ${error.message}`);
  if (status !== 0) throw new Error(`${otherwise}: see above.`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    const { values } = parseArgs({ options: { python: { type: "string", multiple: true } } });
    const asked = values.python?.map((binary) => {
      const python = askPython(binary);
      if (python === undefined) throw new Error(`${binary} is no CPython 3.9 to 3.14 with its headers.`);
      return python;
    });
    for (const python of asked ?? findPythons()) console.error(path.relative(root, buildPython(python)));
  } catch (error) {
    console.error(`build-python: ${error instanceof Error ? error.message : error}`);
    process.exitCode = 1;
  }
}
