import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { CliError } from "./errors.js";
import { forwardSignals } from "./signals.js";

/** What the preload reads from the environment variable HEAPRAY_RUN. */
export interface RunSettings {
  /** Absolute path of the capture; `{pid}` stands for the tracked process's id. */
  readonly file: string;
  readonly overwrite: boolean;
  readonly nativeTraces: boolean;
  /** Milliseconds between two memory snapshots. */
  readonly memoryIntervalMs: number;
  readonly buffered: boolean;
  /** Add allocations up in the process instead of writing each one. */
  readonly aggregate: boolean;
  /** Track the Node.js processes that the program starts too. */
  readonly followFork: boolean;
}

export interface ChildExit {
  readonly pid: number;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

const PRELOAD = fileURLToPath(new URL("../preload.cjs", import.meta.url));

/**
 * Runs `node <args>` with the tracker loaded, on this process's standard streams; signals are passed on.
 * @throws {CliError} heapray is not built, or the process could not be started
 */
export async function runTracked(args: readonly string[], settings: RunSettings): Promise<ChildExit> {
  // Node.js itself would fail, and the program with it.
  if (!existsSync(PRELOAD)) throw new CliError(`${PRELOAD} is missing; run "npm ci" in heapray's checkout.`);
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["--require", PRELOAD, ...args], {
      stdio: "inherit",
      argv0: process.argv0,
      env: { ...process.env, HEAPRAY_RUN: JSON.stringify(settings) },
    });
    const restoreSignals = forwardSignals(child);
    child.on("error", (error) => {
      restoreSignals();
      reject(new CliError(`cannot start ${process.execPath}: ${error.message}.`));
    });
    child.on("exit", (code, signal) => {
      restoreSignals();
      resolve({ pid: child.pid ?? 0, code, signal });
    });
  });
}
