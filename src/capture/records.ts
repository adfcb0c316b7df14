import type { Language } from "./language.js";
import type { AllocatorType } from "./wire.js";

/** In place of a module's build id: the capture does not tell which file it was. */
export const UNKNOWN_BUILD_ID = "?";

/** Where the machine code of a native frame is. */
export interface CodePlace {
  /** Path of the module's file. */
  readonly module: string;
  /** In hexadecimal; empty for none, or where it is not known. */
  readonly buildId: string;
  /** Return address, as a virtual address of the module's file. */
  readonly address: number;
}

/** One logical frame of a stack. Lines and columns are 1-based; 0 means unknown. */
export interface Frame {
  readonly function: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** Machine code; such a frame without a source file has its module in place of it. */
  readonly native?: true;
  /** Of the runtime's own library, by what the capture says of it; where the file's name tells, it is left out. */
  readonly internal?: true;
  /** Of machine code in a known module; functions inlined there share it. */
  readonly code?: CodePlace;
}

/** The metadata a capture's header holds (docs/capture-format.md). */
export interface CaptureHeader {
  readonly pid: number;
  readonly mainThreadId: number;
  readonly commandLine: readonly string[];
  readonly cwd: string;
  readonly runtime: {
    readonly name: string;
    readonly version: string;
    readonly engine?: string;
    /** The folders of Python's standard library. */
    readonly standardLibrary?: readonly string[];
  };
  readonly arch: string;
  readonly platform: string;
  /** Milliseconds since the Unix epoch. */
  readonly startTimeMs: number;
  readonly heaprayVersion: string;
  readonly options: Readonly<Record<string, unknown>>;
}

/** What `FileReader.metadata` gives: the header, and what the whole capture says. */
export interface Metadata extends CaptureHeader {
  /** End of tracking, milliseconds since the Unix epoch; the last snapshot's time when the process was killed. */
  readonly endTimeMs: number;
  /** Whether the capture has its trailer; false when the process ended before tracking did. */
  readonly complete: boolean;
  /** Allocations recorded. */
  readonly totalAllocations: number;
  /** Live bytes at the high-water mark. */
  readonly peakMemory: number;
  readonly hasNativeTraces: boolean;
  /** False, or the mean bytes from one sampled object of the JavaScript heap to the next. */
  readonly traceJsHeap: false | number;
  /** Whether the blocks of Python's own allocator were recorded, in place of the memory that it takes them from. */
  readonly tracePythonAllocators: boolean;
  readonly fileFormat: string;
}

/** An allocation, or several of one location merged (`nAllocations` > 1, `address` 0). */
export interface AllocationRecord {
  readonly tid: number;
  readonly threadName: string;
  /** Where the block or range is; of a block in a compressed capture, a number that identifies it. */
  readonly address: number;
  /** Requested bytes; the sum over the merged allocations. */
  readonly size: number;
  readonly allocator: AllocatorType;
  /** Node of the stack tree; 0 is the empty stack. */
  readonly stackId: number;
  readonly nAllocations: number;
  /** What the program is written in: JavaScript unless told. */
  readonly language?: Language;
  /** Frames, innermost first, at most `maxStacks` of them. */
  stackTrace(maxStacks?: number): Frame[];
}

/** The process's memory at one moment; bytes. */
export interface MemorySnapshot {
  /** Milliseconds since tracking started. */
  readonly timeMs: number;
  readonly rss: number;
  /** V8 heap in use; 0 of other runtimes, like the next two. */
  readonly heapUsed: number;
  /** V8 heap committed. */
  readonly heapCommitted: number;
  /** Memory outside of the heap that V8 knows of (`external` of process.memoryUsage()). */
  readonly external: number;
  /** Live bytes of tracked allocations at this moment. */
  readonly tracked: number;
  /** Whose the resident pages are; in some snapshots only (docs/capture-format.md). */
  readonly resident?: ResidentPages;
}

/** Whose a process's resident pages are, each counted once; bytes. */
export interface ResidentPages {
  /** The sum of those below, the last two excepted. */
  readonly rss: number;
  /** Mapped files: the executable, libraries and their data. */
  readonly files: number;
  /** Threads' stacks. */
  readonly stacks: number;
  /** Committed for V8's heap, and its code. */
  readonly v8Heap: number;
  /** The agent's own mappings. */
  readonly heapray: number;
  /** What the program mapped itself. */
  readonly mapped: number;
  /** malloc's arenas. */
  readonly arenas: number;
  /** Any other memory without a file: malloc's large blocks, and what the C library maps for itself. */
  readonly other: number;
  /** Blocks that are in use in malloc's arenas, their headers included, resident or not; 0 where malloc does not tell. */
  readonly inUseInArenas: number;
  /** malloc's large blocks, resident or not; 0 where malloc does not tell. */
  readonly largeBlocks: number;
}
