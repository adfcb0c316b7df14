// The program that `heapray run` is asked to run.
import { existsSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { CliError } from "./errors.js";
import { type Launch, nodeLaunch } from "./launch.js";
import { typed } from "./paths.js";
import { checkPythonFlags, pythonFor } from "./python-interpreter.js";
import { pythonLaunch } from "./python-launch.js";
import type { RunOptions } from "./run-options.js";
import { chooseRuntime } from "./runtime-choice.js";

/**
 * How the program is started.
 * @throws {CliError} there is none, nothing here runs it, or an option is not for what does
 */
export function launchOf(script: string | undefined, args: readonly string[], options: RunOptions): Launch {
  const all = [...(script === undefined ? [] : [script]), ...args];
  if (chooseRuntime(script, options) === "node") {
    if (options.eval === undefined) checkNodeScript(script, options.nodeArg);
    const code = options.eval === undefined ? [] : ["--eval", options.eval, "--"];
    return nodeLaunch([...options.nodeArg, ...code, ...all]);
  }
  const { module, command, python, pythonArg, tracePythonAllocators } = options;
  const isScript = module === undefined && command === undefined;
  if (isScript) checkPythonScript(script);
  checkPythonFlags(pythonArg);
  const interpreter = pythonFor(isScript ? script : undefined, python);
  const what = module !== undefined ? ["-m", module] : command !== undefined ? ["-c", command] : [];
  return pythonLaunch(interpreter, pythonArg, [...what, ...all], { tracePythonAllocators });
}

/** For the name of its capture. */
export function programName(script: string | undefined, { eval: code, module, command }: RunOptions): string {
  if (code !== undefined) return "eval";
  if (module !== undefined) return module;
  if (command !== undefined) return "string";
  return path.basename(path.resolve(script ?? "node")).replace(/^-$/, "stdin");
}

/**
 * Refuses what node would not find either, before a capture is begun; node's own flags may change what a script is.
 * @throws {CliError}
 */
function checkNodeScript(script: string | undefined, nodeArgs: readonly string[]): void {
  if (nodeArgs.length > 0 || script === "-") return;
  if (script === undefined) throw new CliError('there is no script to run; see "heapray run --help".');
  try {
    createRequire(import.meta.url).resolve(path.resolve(script));
  } catch {
    if (statSync(script, { throwIfNoEntry: false })?.isFile()) return;
    const bin = path.join("node_modules", ".bin", script);
    const hint = !script.includes("/") && existsSync(bin) ? `; did you mean ${bin}?` : ".";
    throw new CliError(`there is no script ${typed(script)}${hint}`);
  }
}

/**
 * Refuses what Python would not find either.
 * @throws {CliError}
 */
function checkPythonScript(script: string | undefined): void {
  if (script === undefined) throw new CliError('there is no script to run; see "heapray run --help".');
  if (script !== "-" && !existsSync(script)) throw new CliError(`there is no script ${typed(script)}.`);
}
