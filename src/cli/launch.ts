import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { SETTINGS_VARIABLE } from "../tracker/child-environment.js";
import type { RunSettings } from "../tracker/run-settings.js";
import { CliError } from "./errors.js";

/** How a program is started, so that it is tracked from before its first line. */
export interface Launch {
  /** The interpreter: an absolute path. */
  readonly command: string;
  /** What the program sees as the interpreter's name. */
  readonly argv0: string;
  readonly args: readonly string[];
  /** The environment of the program. */
  environment(settings: RunSettings): NodeJS.ProcessEnv;
}

const PRELOAD = fileURLToPath(new URL("../preload.cjs", import.meta.url));

/**
 * Starts `node <args>`.
 * @throws {CliError} heapray is not built
 */
export function nodeLaunch(args: readonly string[]): Launch {
  // Node.js itself would fail, and the program with it.
  if (!existsSync(PRELOAD)) throw new CliError(`${PRELOAD} is missing; run "npm ci" in heapray's checkout.`);
  return {
    command: process.execPath,
    argv0: process.argv0,
    args: ["--require", PRELOAD, ...args],
    environment: (settings) => ({ ...process.env, [SETTINGS_VARIABLE]: JSON.stringify(settings) }),
  };
}
