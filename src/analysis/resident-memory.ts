import type { MemorySnapshot } from "../capture/records.js";

/** Where a process's resident memory (RSS) went at one moment; bytes. The parts add up to `rss`. */
export interface ResidentMemory {
  /** Milliseconds since tracking started. */
  readonly timeMs: number;
  readonly rss: number;
  /** The highest RSS that any snapshot tells of: a little more, since not every snapshot tells whose the pages are. */
  readonly highestRss: number;
  /** What V8 had committed for its heap, resident or not, as it told last: no part of the sum. */
  readonly v8HeapCommitted: number;
  /** V8's heap: objects, and garbage not yet collected. */
  readonly v8HeapUsed: number;
  /** The rest of V8's heap: pages that it keeps, and its code. */
  readonly v8HeapUnused: number;
  /** What native code holds: blocks of malloc with their headers, and mappings. heapray's small blocks are among them. */
  readonly nativeLive: number;
  /** What malloc keeps of freed memory. */
  readonly allocatorOverhead: number;
  /** The executable, libraries, and other mapped files. */
  readonly codeAndLibraries: number;
  /** Threads' stacks. */
  readonly stacks: number;
  /** The tracker's own mappings: its tables and the capture. */
  readonly heapray: number;
  /** What none of these explains. */
  readonly rest: number;
}

/** Explains the RSS of a snapshot; undefined where it does not tell whose the pages are. */
export function residentMemory(snapshot: MemorySnapshot, highestRss: number): ResidentMemory | undefined {
  const { timeMs, heapUsed, heapCommitted, resident } = snapshot;
  if (resident === undefined) return undefined;
  // V8's figures are of its last collection, and malloc's blocks need not all be resident.
  const v8HeapUsed = Math.min(heapUsed, resident.v8Heap);
  const { arenas, other, inUseInArenas, largeBlocks } = resident;
  // A malloc that tells nothing of itself has its memory among the other, wherever it is: all of it counts as live.
  const large = inUseInArenas + largeBlocks === 0 ? other : Math.min(largeBlocks, other);
  // Where something lies behind the heap, it cannot grow, and malloc maps pieces of its first arena elsewhere.
  const elsewhere = inUseInArenas > arenas ? other - large : 0;
  const inUse = inUseInArenas === 0 ? arenas : Math.min(inUseInArenas, arenas + elsewhere);
  return {
    timeMs,
    rss: resident.rss,
    highestRss: Math.max(highestRss, resident.rss),
    v8HeapCommitted: heapCommitted,
    v8HeapUsed,
    v8HeapUnused: resident.v8Heap - v8HeapUsed,
    nativeLive: resident.mapped + inUse + large,
    allocatorOverhead: arenas + elsewhere - inUse,
    codeAndLibraries: resident.files,
    stacks: resident.stacks,
    heapray: resident.heapray,
    rest: other - large - elsewhere,
  };
}
