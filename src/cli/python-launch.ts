import path from "node:path";
import { fileURLToPath } from "node:url";
import { SETTINGS_VARIABLE } from "../tracker/child-environment.js";
import type { Launch } from "./launch.js";
import type { PythonInterpreter } from "./python-interpreter.js";

/** Python imports sitecustomize.py from here as it starts. */
const PRELOAD = fileURLToPath(new URL("../../python/launch/preload", import.meta.url));
const PATH_VARIABLE = "PYTHONPATH";

/** What only Python programs are asked to record. */
export interface PythonRecording {
  readonly tracePythonAllocators: boolean;
}

/**
 * Starts `python <flags> <args>`.
 * @param flags those of the interpreter
 */
export function pythonLaunch(
  interpreter: PythonInterpreter,
  flags: readonly string[],
  args: readonly string[],
  recording: PythonRecording,
): Launch {
  const { executable } = interpreter;
  return {
    command: executable,
    argv0: executable,
    args: [...interpreter.flags, ...flags, ...args],
    environment: (settings) => ({
      ...process.env,
      [SETTINGS_VARIABLE]: JSON.stringify({ ...settings, ...recording }),
      [PATH_VARIABLE]: [PRELOAD, ...(process.env[PATH_VARIABLE] ? [process.env[PATH_VARIABLE]] : [])].join(
        path.delimiter,
      ),
    }),
  };
}
