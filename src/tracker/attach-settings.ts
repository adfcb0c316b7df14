/** What `heapray attach` tells the process that it attaches to. */
export interface AttachSettings {
  /** Of this attempt: asking again, where the answer was lost, does not start a second tracker. */
  readonly id: string;
  readonly to: FileOutput | LiveOutput;
  readonly nativeTraces: boolean;
  /** Milliseconds between two memory snapshots. */
  readonly memoryIntervalMs: number;
  /** Add allocations up in the process instead of writing each one. */
  readonly aggregate: boolean;
  /** False, or the sampling interval in bytes. */
  readonly traceJsHeap: false | number;
  /** Of Python: record what its own allocator hands out too. */
  readonly tracePythonAllocators: boolean;
  /** Track the Node.js processes that the program starts from now on, too. */
  readonly followFork: boolean;
  /** Milliseconds after which tracking ends by itself. */
  readonly durationMs?: number;
}

export interface FileOutput {
  /** Absolute path of the capture. */
  readonly file: string;
  readonly overwrite: boolean;
}

export interface LiveOutput {
  /** A port of this machine that the process is to listen on, for one client. */
  readonly port: number;
  /** The client's user id. */
  readonly user: number;
}

/** What the process answers: in JSON, the only thing that passes between the two. */
export interface AttachAnswer {
  readonly error?: { readonly code: string; readonly message: string };
  /** Tracking has not begun: no client has connected yet, and this is to be asked again. */
  readonly waiting?: boolean;
  /** Of the capture that was ended: whether it is complete. Nothing was, where this is missing. */
  readonly complete?: boolean;
  /** Whether the process is tracked all the same, by `heapray run` or by itself. */
  readonly trackedOtherwise?: boolean;
}

export interface TargetVersions {
  /** The version of the interface to addons. */
  readonly modules: string;
  readonly node: string;
  readonly platform: string;
  readonly arch: string;
  /** What it is, where that is not Node.js. */
  readonly other?: string;
  readonly executable: string;
}
