import type { AttachSettings } from "../tracker/attach-settings.js";
import { DEFAULT_JS_HEAP_INTERVAL } from "../tracker/options.js";
import { CliError } from "./errors.js";
import type { LivePageOptions } from "./live-web.js";

/** The options of `heapray attach`. */
export interface AttachOptions extends LivePageOptions {
  readonly web: boolean;
  readonly output?: string;
  readonly force: boolean;
  readonly quiet: boolean;
  readonly duration?: number;
  readonly native: boolean;
  readonly aggregate: boolean;
  readonly traceJsHeap: boolean;
  readonly jsHeapInterval?: number;
  readonly tracePythonAllocators: boolean;
  readonly memoryIntervalMs: number;
  readonly compress: boolean;
  readonly followFork: boolean;
}

/** What the process is told. */
export function settingsFor(to: AttachSettings["to"], options: AttachOptions): AttachSettings {
  return {
    id: `${process.pid} ${process.hrtime.bigint()}`,
    to,
    nativeTraces: options.native,
    memoryIntervalMs: options.memoryIntervalMs,
    aggregate: options.aggregate,
    traceJsHeap: options.traceJsHeap && (options.jsHeapInterval ?? DEFAULT_JS_HEAP_INTERVAL),
    tracePythonAllocators: options.tracePythonAllocators,
    followFork: options.followFork,
    ...(options.duration === undefined ? {} : { durationMs: options.duration * 1000 }),
  };
}

/**
 * Refuses options that are not for what a process runs.
 * @throws {CliError}
 */
export function checkRuntime(
  runtime: "Node.js" | "Python",
  { traceJsHeap, tracePythonAllocators }: AttachOptions,
): void {
  const others =
    runtime === "Python" ? { "--trace-js-heap": traceJsHeap } : { "--trace-python-allocators": tracePythonAllocators };
  for (const [option, given] of Object.entries(others)) {
    if (given) throw new CliError(`${option} does not go with a process that runs ${runtime}.`);
  }
}
