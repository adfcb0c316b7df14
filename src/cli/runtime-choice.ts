import { existsSync, statSync } from "node:fs";
import path from "node:path";
import { CliError } from "./errors.js";
import { pythonShebang } from "./python-shebang.js";
import type { RunOptions } from "./run-options.js";

/** What runs a program. */
export type Runtime = "node" | "python";

/**
 * Chooses by what is asked for, or by the script, and refuses options of the other runtime.
 * @throws {CliError}
 */
export function chooseRuntime(script: string | undefined, options: RunOptions): Runtime {
  const { python, module, command } = options;
  const asked = [python, module, command].some((one) => one !== undefined);
  const isPython = asked || (options.eval === undefined && script !== undefined && isPythonProgram(script));
  const [runtime, other] = isPython ? ["Python", "Node.js"] : ["Node.js", "Python"];
  const program = nameOf(script, options);
  for (const [option, given] of Object.entries(isPython ? nodeOptions(options) : pythonOptions(options))) {
    if (given) throw new CliError(`${option} is for ${other} programs, and ${program} is one of ${runtime}.`);
  }
  return isPython ? "python" : "node";
}

function nodeOptions(options: RunOptions): Record<string, boolean> {
  return {
    "-e": options.eval !== undefined,
    "--node-arg": options.nodeArg.length > 0,
    "--trace-js-heap": options.traceJsHeap,
    "--embed-symbols": options.embedSymbols,
    "--start-paused": options.startPaused,
    "--window-signal": options.windowSignal !== undefined,
  };
}

function pythonOptions(options: RunOptions): Record<string, boolean> {
  return {
    "--python-arg": options.pythonArg.length > 0,
    "--trace-python-allocators": options.tracePythonAllocators,
  };
}

function nameOf(script: string | undefined, { module, command, eval: code }: RunOptions): string {
  if (module !== undefined) return `the module ${module}`;
  if (command !== undefined) return "the code of -c";
  return code !== undefined || script === undefined || script === "-" ? "the program" : path.basename(script);
}

/** By its name, by the Python that it names, or by what is in the folder. */
function isPythonProgram(script: string): boolean {
  if (/\.(?:py[cwz]?|pyzw)$/.test(script)) return true;
  if (!statSync(script, { throwIfNoEntry: false })?.isDirectory()) return pythonShebang(script) !== undefined;
  const has = (name: string) => existsSync(path.join(script, name));
  return has("__main__.py") && !has("package.json") && !has("index.js");
}
