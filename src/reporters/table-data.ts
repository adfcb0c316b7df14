/**
 * What a table page is made of: the contract between the reporter, which writes it, and the page, which reads it. Struct
 * of arrays, as flamegraph-data.ts has it. Which rows are one is the page's choice, so these are the finest.
 */
import type { FrameTable, ReportKind, ReportMetadata } from "./flamegraph-data.js";

/**
 * What was allocated on one thread, with one allocator, by one frame on behalf of one line; sorted by `owner`,
 * `allocator`, `thread`, `frame`. Frames are rows of the frame table, which has no root.
 */
export interface AllocationTable {
  /** The frame that answers for it: the innermost one of the program, or of a package, or the innermost one. */
  readonly owner: Uint32Array;
  /** Index into `allocators`. */
  readonly allocator: Uint8Array;
  /** Index into `threads`. */
  readonly thread: Uint32Array;
  /** The innermost frame, which allocated. */
  readonly frame: Uint32Array;
  readonly bytes: Float64Array;
  readonly allocations: Float64Array;
}

export interface TableData {
  readonly kind: ReportKind;
  readonly metadata: ReportMetadata;
  /** Whether rows of several threads are shown apart at first. */
  readonly splitThreads: boolean;
  /** String 0 is the empty string. */
  readonly strings: readonly string[];
  /** Names of the threads that allocated; threads of one name are one row. */
  readonly threads: readonly string[];
  /** memray's names of the allocators in use, like `malloc`. */
  readonly allocators: readonly string[];
  readonly frames: FrameTable;
  readonly rows: AllocationTable;
}
