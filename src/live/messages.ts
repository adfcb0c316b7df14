/** What a live session and the worker thread that reads for it tell each other. */
import type { LocationName } from "../analysis/function-rows.js";
import type { LiveQuery, LiveThread, LocationTotals } from "../analysis/live-locations.js";
import type { MemoryTimeline } from "../analysis/memory-timeline.js";
import type { CaptureErrorCode } from "../capture/errors.js";
import type { CaptureHeader, MemorySnapshot } from "../capture/records.js";
import type { PageQuery } from "../reporters/live-page-data.js";

/** What the worker is started with. */
export interface WorkerOptions {
  readonly host: string;
  readonly port: number;
  /** How long to wait for the program to listen, milliseconds. */
  readonly timeoutMs: number;
  readonly sourceMaps: boolean;
}

/**
 * How the session ended:
 * - `stopped`, `exited`, `signal`: as the program told; `signal` is one that ended it;
 * - `killed`: the program is gone without having told;
 * - `too-slow`: the program gave up on a reader that it was too fast for, and goes on untracked;
 * - `disconnected`: the connection ended, and which of these it was cannot be known from here;
 * - `error`: what came was damaged, or the network failed.
 */
export type HowEnded = "stopped" | "exited" | "signal" | "killed" | "too-slow" | "disconnected" | "error";

/** The end of a session. */
export interface LiveEnd {
  readonly how: HowEnded;
  /** What happened, in words that follow "Remote has disconnected: ". */
  readonly sentence: string;
}

/** What a program's memory is like now. Sizes are bytes. */
export interface LiveState {
  /** Live bytes of tracked allocations, now and at most until now. */
  readonly liveBytes: number;
  readonly peakBytes: number;
  /** Allocations made until now. */
  readonly totalAllocations: number;
  /** Allocations per second, of about the last one. */
  readonly allocationRate: number;
  /** Milliseconds since tracking began; stands still at the end. */
  readonly elapsedMs: number;
  /** By how much reading is behind the program, milliseconds, about. */
  readonly behindMs: number;
  /** What the process told last of its memory; undefined until it has. */
  readonly memory: MemorySnapshot | undefined;
  readonly timeline: MemoryTimeline;
  /** The threads that have allocated, in the order in which they began to. */
  readonly threads: readonly LiveThread[];
  /** What the stack traces lack, and why; a sentence each. */
  readonly warnings: readonly string[];
}

/** What the worker is asked for. */
export type Ask = {
  readonly id: number;
} /** `hold`: from then on, answers are about what was live then; until `release`. */ & (
  | { readonly what: "locations" | "graph" | "hold" | "release"; readonly query: LiveQuery }
  /** Always about what is live now: several pages may be open, each paused or not. */
  | { readonly what: "page"; readonly query: PageQuery }
);

export interface LocationsAnswer {
  /** Of the first row, those that were sent before left out. */
  readonly firstName: number;
  readonly names: readonly LocationName[];
  readonly totals: LocationTotals;
}

export interface GraphAnswer {
  /** As `encodeFlameGraph` makes it; of a page, gzipped. */
  readonly data: Uint8Array;
}

export type Answer = LocationsAnswer | GraphAnswer | LiveState;

export type Told =
  /** Nobody waits for a client there yet. */
  | { readonly type: "waiting" }
  | { readonly type: "connected"; readonly header: CaptureHeader; readonly state: LiveState }
  | {
      readonly type: "failed";
      readonly code: CaptureErrorCode | undefined;
      readonly source: string;
      readonly message: string;
    }
  | { readonly type: "state"; readonly state: LiveState }
  | { readonly type: "ended"; readonly state: LiveState; readonly end: LiveEnd }
  | { readonly type: "answer"; readonly id: number; readonly answer: Answer }
  | { readonly type: "refused"; readonly id: number; readonly message: string };
