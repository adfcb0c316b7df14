/** What a live page is told several times a second, and asks for: the contract between it and who serves it. */
import type { MemoryKind } from "./flamegraph-data.js";

/** A point of the memory chart. */
export interface PagePoint {
  /** Milliseconds since tracking began. */
  readonly timeMs: number;
  readonly rss: number;
  readonly heapUsed: number;
  readonly tracked: number;
}

/** Sizes are bytes. */
export interface PageFigures {
  readonly liveBytes: number;
  readonly peakBytes: number;
  /** Allocations made until now. */
  readonly totalAllocations: number;
  /** Allocations per second, of about the last one. */
  readonly allocationRate: number;
  /** Milliseconds since tracking began. */
  readonly elapsedMs: number;
  /** By how much reading is behind the program, milliseconds, about. */
  readonly behindMs: number;
  /** The newest point; undefined until there is one. */
  readonly point?: PagePoint | undefined;
  /** What the stacks lack, and why; a sentence each. */
  readonly warnings: readonly string[];
  /** Once the program is gone: why, in words that follow "Remote has disconnected: ". */
  readonly end?: string | undefined;
}

/** Which allocations a page wants the graph of; all of them unless told. */
export interface PageQuery {
  /** The name of a thread. */
  readonly thread?: string | undefined;
  readonly kind?: MemoryKind | undefined;
}
