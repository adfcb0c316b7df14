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
  /** The process id of `heapray run`, which the program is not to outlive. */
  readonly parent: number;
}
