import type { Uint32Column } from "../capture/columns.js";

/** What a capture's locations held at the high-water mark and at the end, however that was found out. */
export interface LocationFigures {
  /** Each distinct (thread, stack node, allocator), in order of appearance. */
  readonly locations: {
    readonly length: number;
    readonly thread: Uint32Column;
    readonly node: Uint32Column;
    readonly allocator: Uint32Column;
  };
  /** Live bytes at the high-water mark. */
  readonly peakBytes: number;
  /** Allocations made, mappings included. */
  readonly totalAllocations: number;
  /** Bytes of all allocations made. */
  readonly totalBytes: number;
  /** Bytes of the location that were live at the high-water mark. */
  peakBytesOf(location: number): number;
  /** Allocations of the location that were live at the high-water mark. */
  peakCountOf(location: number): number;
  /** Bytes of the location that are live at the end. */
  liveBytesOf(location: number): number;
  /** Allocations of the location that are live at the end. */
  liveCountOf(location: number): number;
}
