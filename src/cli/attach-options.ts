import type { AttachSettings } from "../tracker/attach-settings.js";
import { DEFAULT_JS_HEAP_INTERVAL } from "../tracker/options.js";
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
    followFork: options.followFork,
    ...(options.duration === undefined ? {} : { durationMs: options.duration * 1000 }),
  };
}
