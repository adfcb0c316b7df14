/**
 * What a flame graph page is made of: the contract between the reporter, which writes it, and the page, which reads it.
 * Struct of arrays throughout: row i of a table is element i of each of its columns. Sizes are bytes, times milliseconds.
 * Totals are not stored: the page adds them up, because they change with what the user hides.
 */

import type { TemporalTables } from "./temporal-data.js";

/** Whose code a frame is; decides its colour and what "hide" hides. */
export const Category = {
  /** The program under profile. */
  PROGRAM: 0,
  /** Installed packages: anything below a node_modules folder, or of Python a site-packages folder. */
  DEPENDENCY: 1,
  /** The runtime's own: JavaScript of `node:` files, Python's standard library. */
  INTERNAL: 2,
  /** Functions compiled into the engine: `<builtin>`; of Python, machine code that runs Python's functions. */
  BUILTIN: 3,
  /** Machine code: shared objects, addons, C and C++ sources. */
  NATIVE: 4,
  /** Stands for a thread: below it are allocations without frames, or all of it where threads are split. */
  THREAD: 5,
  /** The root, which stands for everything. */
  ROOT: 6,
  /** Stands for all stacks below its parent that are too small to be told apart. */
  SMALL: 7,
} as const;
export type Category = (typeof Category)[keyof typeof Category];

/** What kind of memory a weight is. */
export const MemoryKind = {
  /** The malloc family, and mappings not made by the garbage-collected heap. */
  NATIVE: 0,
  /** Pages that the garbage-collected heap committed (allocator HEAP_PAGES). */
  HEAP_PAGES: 1,
  /** Objects of the JavaScript heap, sampled (allocator JS_OBJECT): estimates. */
  JS: 2,
  /** Blocks that Python's own allocator gave (allocators PYMALLOC_...). */
  PYTHON: 3,
} as const;
export type MemoryKind = (typeof MemoryKind)[keyof typeof MemoryKind];

/** `live`: what a running program holds. */
export type ReportKind = "high-water-mark" | "leaks" | "temporary" | "live";

/** The part of the capture's metadata that the page shows. */
export interface ReportMetadata {
  readonly pid: number;
  readonly commandLine: readonly string[];
  readonly cwd: string;
  readonly runtime: { readonly name: string; readonly version: string };
  readonly startTimeMs: number;
  readonly endTimeMs: number;
  /** False when the process ended before tracking did. */
  readonly complete: boolean;
  readonly totalAllocations: number;
  readonly peakMemory: number;
  readonly heaprayVersion: string;
}

/** Distinct frames. Row 0 is the root's. `function`, `file` and `source` are indexes into `strings`. */
export interface FrameTable {
  readonly function: Uint32Array;
  readonly file: Uint32Array;
  /** 1-based; 0 when unknown. */
  readonly line: Uint32Array;
  /** 1-based; 0 when unknown. */
  readonly column: Uint32Array;
  readonly category: Uint8Array;
  /** The text of the line, trimmed; string 0 (empty) when unknown. */
  readonly source: Uint32Array;
}

/** The call tree in pre-order: row 0 is the root (parent -1), and every node comes after its parent. */
export interface NodeTable {
  readonly parent: Int32Array;
  readonly frame: Uint32Array;
}

/** What was allocated with exactly the stack of a node, by thread and kind; sorted by node. */
export interface WeightTable {
  readonly node: Uint32Array;
  /** Index into `threads`. */
  readonly thread: Uint32Array;
  readonly kind: Uint8Array;
  readonly bytes: Float64Array;
  readonly allocations: Float64Array;
}

/** Memory over time, perhaps thinned; the snapshots with the most tracked memory and the largest RSS are always kept. */
export interface SnapshotTable {
  readonly timeMs: Float64Array;
  readonly rss: Float64Array;
  readonly heapUsed: Float64Array;
  readonly tracked: Float64Array;
}

/** What the weights are compared with: the same places at another moment, or in another run. */
export interface Comparison {
  /** What the two sides are, like `old.bin at its peak`. */
  readonly before: string;
  readonly after: string;
  /** What frames are told apart by: of functions and files, `line` is 0. */
  readonly by: "line" | "function" | "file";
  /** Row i is what row i of the weights was before. Either may be 0, not both. */
  readonly bytes: Float64Array;
  readonly allocations: Float64Array;
}

export interface FlameGraphData {
  readonly kind: ReportKind;
  /** Whether the graph is inverted at first: frames that allocate at the root. The tables are not. */
  readonly inverted: boolean;
  readonly metadata: ReportMetadata;
  /** String 0 is the empty string. */
  readonly strings: readonly string[];
  /** Names of the threads that allocated; threads of one name are one row. */
  readonly threads: readonly string[];
  readonly frames: FrameTable;
  readonly nodes: NodeTable;
  readonly weights: WeightTable;
  readonly snapshots: SnapshotTable;
  /** Of a differential flame graph, whose weights are what is held after. */
  readonly comparison?: Comparison;
  /** What ranges of time held; the weights are then those of the whole run. */
  readonly temporal?: TemporalTables;
}
