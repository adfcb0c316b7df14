import type { WindowSettings } from "./windows.js";

/** What `heapray run` tells the process that it starts, in the environment variable HEAPRAY_RUN. */
export interface RunSettings {
  /** Absolute path of the capture; `{pid}` stands for the tracked process's id. */
  readonly file: string;
  /** Send the records to the first client of this port instead of writing a capture. */
  readonly livePort?: number;
  readonly overwrite: boolean;
  readonly buffered: boolean;
  readonly nativeTraces: boolean;
  /** Write native frames' names into the capture when the program ends. */
  readonly embedSymbols: boolean;
  /** Milliseconds between two memory snapshots. */
  readonly memoryIntervalMs: number;
  /** Add allocations up in the process instead of writing each one. */
  readonly aggregate: boolean;
  /** False, or the sampling interval in bytes. */
  readonly traceJsHeap: false | number;
  /** Track the Node.js processes that the program starts too. */
  readonly followFork: boolean;
  /** Record in windows that a signal begins and ends, each with a capture of its own. */
  readonly windows?: Omit<WindowSettings, "names" | "overwrite" | "buffered"> | undefined;
  /** The process id of `heapray run`, which the program is not to outlive. */
  readonly parent: number;
}
