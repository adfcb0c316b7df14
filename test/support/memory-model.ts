import { AllocatorType } from "../../src/capture/wire.js";

/** One thing that happens in a program; ranges are counted in pages. */
export type Step =
  | { readonly do: "allocate"; thread: number; stack: number; allocator: AllocatorType; size: number; address: number }
  | { readonly do: "free"; thread: number; address: number }
  | { readonly do: "map"; thread: number; stack: number; heapPages: boolean; page: number; pages: number }
  | { readonly do: "unmap"; thread: number; page: number; pages: number }
  | { readonly do: "snapshot" };

export const PAGE = 4096;

/** Allocations and bytes by location, `thread:stack:ALLOCATOR`. */
export type Usage = Record<string, { count: number; size: number }>;

/** What was seen between two snapshots. */
export interface Interval {
  /** Most live bytes, the start included, and whose they were. */
  readonly peak: number;
  readonly peakUsage: Usage;
  /** What is live at the end, by location and the interval in which it was allocated: `thread:stack:ALLOCATOR@interval`. */
  readonly endUsage: Usage;
}

/**
 * The high-water mark and the rest, by brute force: all of memory is looked at again after every step. Blocks are
 * a map, ranges an array with a cell per page that holds the mapping it belongs to.
 */
export class MemoryModel {
  peak = 0;
  peakUsage: Usage = {};
  readonly tracked: number[] = [];
  /** Those that are over; `endInterval` ends the last one. */
  readonly intervals: Interval[] = [];
  #intervalPeak = 0;
  #intervalPeakUsage: Usage = {};
  readonly #blocks = new Map<number, { location: string; size: number; made: number }>();
  readonly #pages: ({ location: string; made: number } | undefined)[];

  constructor(pages: number) {
    this.#pages = new Array(pages).fill(undefined);
  }

  step(step: Step): void {
    switch (step.do) {
      case "allocate":
        this.#blocks.set(step.address, {
          location: `${step.thread}:${step.stack}:${AllocatorType[step.allocator]}`,
          size: step.size,
          made: this.intervals.length,
        });
        break;
      case "free":
        this.#blocks.delete(step.address);
        break;
      case "map": {
        const location = `${step.thread}:${step.stack}:${step.heapPages ? "HEAP_PAGES" : "MMAP"}`;
        this.#pages.fill({ location, made: this.intervals.length }, step.page, step.page + step.pages);
        break;
      }
      case "unmap":
        this.#pages.fill(undefined, step.page, step.page + step.pages);
        break;
      case "snapshot":
        this.tracked.push(this.liveBytes());
        this.endInterval();
        break;
    }
    const live = this.liveBytes();
    if (live > this.peak) {
      this.peak = live;
      this.peakUsage = this.usage();
    }
    if (live > this.#intervalPeak) {
      this.#intervalPeak = live;
      this.#intervalPeakUsage = this.usage();
    }
  }

  endInterval(): void {
    this.intervals.push({
      peak: this.#intervalPeak,
      peakUsage: this.#intervalPeakUsage,
      endUsage: this.usage((location, made) => `${location}@${made}`),
    });
    this.#intervalPeak = this.liveBytes();
    this.#intervalPeakUsage = this.usage();
  }

  liveBytes(): number {
    let bytes = this.#pages.filter((page) => page !== undefined).length * PAGE;
    for (const { size } of this.#blocks.values()) bytes += size;
    return bytes;
  }

  usage(nameOf = (location: string, _made: number): string => location): Usage {
    const usage: Usage = {};
    const add = ({ location, made }: { location: string; made: number }, count: number, size: number): void => {
      const name = nameOf(location, made);
      usage[name] ??= { count: 0, size: 0 };
      usage[name].count += count;
      usage[name].size += size;
    };
    for (const block of this.#blocks.values()) add(block, 1, block.size);
    this.#pages.forEach((page, index) => {
      // A range counts where it starts.
      if (page !== undefined) add(page, page === this.#pages[index - 1] ? 0 : 1, PAGE);
    });
    return usage;
  }
}

/** The same usage without regard to threads. */
export function mergeThreads(usage: Usage): Usage {
  const merged: Usage = {};
  for (const [location, { count, size }] of Object.entries(usage)) {
    const key = location.replace(/^\d+/, "0");
    merged[key] ??= { count: 0, size: 0 };
    merged[key].count += count;
    merged[key].size += size;
  }
  return merged;
}
