import { CliError } from "./errors.js";
import { checkTerminal } from "./live-view.js";
import type { WindowSignal } from "./run-windows.js";

/** The options of `heapray run`. */
export interface RunOptions {
  readonly output?: string;
  readonly force: boolean;
  readonly quiet: boolean;
  readonly native: boolean;
  readonly embedSymbols: boolean;
  readonly aggregate: boolean;
  readonly traceJsHeap: boolean;
  readonly jsHeapInterval?: number;
  readonly memoryIntervalMs: number;
  readonly bufferedFileIo: boolean;
  readonly compress: boolean;
  readonly live: boolean;
  readonly liveRemote: boolean;
  readonly livePort?: number;
  readonly followFork: boolean;
  readonly startPaused: boolean;
  readonly windowSignal?: WindowSignal;
  readonly nodeArg: string[];
  readonly eval?: string;
  /** The Python to run on: a path, or a command's name. */
  readonly python?: string;
  readonly pythonArg: string[];
  readonly tracePythonAllocators: boolean;
  /** A Python module to run instead of a script. */
  readonly module?: string;
  /** Python code to run instead of a script. */
  readonly command?: string;
}

/**
 * Refuses what does not go together with a client.
 * @throws {CliError}
 */
export function checkLive(options: RunOptions): void {
  const { live, liveRemote } = options;
  if (!live && !liveRemote) {
    if (options.livePort !== undefined) throw new CliError("--live-port goes with --live and --live-remote only.");
    return;
  }
  if (live && liveRemote)
    throw new CliError("--live shows what --live-remote leaves to another client: give one of them.");
  if (options.startPaused || options.windowSignal !== undefined) {
    const option = options.startPaused ? "--start-paused" : "--window-signal";
    throw new CliError(
      `${option} does not go with ${live ? "--live" : "--live-remote"}: windows are written into files.`,
    );
  }
  const { output, aggregate, followFork, bufferedFileIo } = options;
  const needsFile = { "--output": output, "--aggregate": aggregate, "--follow-fork": followFork };
  for (const [option, given] of Object.entries({ ...needsFile, "--buffered-file-io": bufferedFileIo })) {
    if (given !== undefined && given !== false) {
      throw new CliError(`${option} does not go with ${live ? "--live" : "--live-remote"}, which writes no file.`);
    }
  }
  if (live) checkTerminal();
}
