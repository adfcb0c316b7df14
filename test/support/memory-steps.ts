import fc from "fast-check";
import { expect } from "vitest";
import type { AllocationRecord } from "../../src/capture/records.js";
import { AllocatorType } from "../../src/capture/wire.js";
import { CaptureWriter } from "./capture-writer.js";
import { PAGE, type Step, type Usage } from "./memory-model.js";

export const THREADS = 3;
export const STACKS = 4;
export const PAGES = 24;
/** Where the steps' page 0 is. */
export const RANGES_AT = 0x7e00_0000_0000;

const thread = fc.integer({ min: 1, max: THREADS });
const stack = fc.integer({ min: 0, max: STACKS });
const address = fc.integer({ min: 1, max: 30 }).map((slot) => 0x7f00_0000_0000 + slot * 16);
const range = { page: fc.integer({ min: 0, max: PAGES - 1 }), pages: fc.integer({ min: 0, max: 8 }) };
const size = fc.oneof(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 40_000 }), fc.constant(2 ** 33 + 1));
const { MALLOC, CALLOC, REALLOC, POSIX_MEMALIGN } = AllocatorType;

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("allocate" as const),
      thread,
      stack,
      allocator: fc.constantFrom(MALLOC, CALLOC, REALLOC, POSIX_MEMALIGN),
      size,
      address,
    }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constant("free" as const), thread, address }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("map" as const), thread, stack, heapPages: fc.boolean(), ...range }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("unmap" as const), thread, ...range }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("snapshot" as const) }) },
);

/** The steps as a capture of every allocation; the time of a snapshot is its number. */
export function write(steps: readonly Step[]): Uint8Array {
  const writer = new CaptureWriter();
  for (let i = 1; i <= THREADS; i++) writer.thread(i, 1000 + i, `thread ${i}`);
  for (let i = 1; i <= STACKS; i++) writer.stack(`f${i}@/app/a.js:${i}`);
  let snapshots = 0;
  for (const one of steps) {
    if (one.do === "snapshot") {
      writer.snapshot(snapshots++, 0);
      continue;
    }
    writer.switchTo(one.thread);
    if (one.do === "allocate") writer.allocation(one.allocator, one.stack, one.size, one.address);
    else if (one.do === "free") writer.free(one.address);
    else if (one.do === "unmap") writer.munmap(RANGES_AT + one.page * PAGE, one.pages * PAGE);
    else {
      const allocator = one.heapPages ? AllocatorType.HEAP_PAGES : AllocatorType.MMAP;
      writer.allocation(allocator, one.stack, one.pages * PAGE, RANGES_AT + one.page * PAGE);
    }
  }
  return writer.finish();
}

/** What records of the steps' locations hold, each location once. */
export function usageOf(
  records: Iterable<AllocationRecord>,
  threadOf = (tid: number) => (tid === 0 ? 0 : tid - 1000),
): Usage {
  const usage: Usage = {};
  for (const record of records) {
    const key = `${threadOf(record.tid)}:${record.stackId}:${AllocatorType[record.allocator]}`;
    expect(usage).not.toHaveProperty([key]);
    usage[key] = { count: record.nAllocations, size: record.size };
  }
  return usage;
}

/** The model's array of pages ends; the steps' ranges must too. */
function withinPages(steps: Step[]): Step[] {
  return steps.map((one) => ("page" in one ? { ...one, pages: Math.min(one.pages, PAGES - one.page) } : one));
}

/** Up to 150 steps of a few threads and stacks on few addresses and pages, so that they meet. */
export const randomSteps: fc.Arbitrary<Step[]> = fc.array(step, { maxLength: 150 }).map(withinPages);

/** 40,000 steps with many live blocks. */
export function longRun(): Step[] {
  const steps: Step[] = [];
  let seed = 7;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
  const live: number[] = [];
  for (let i = 0; i < 40_000; i++) {
    // Grows to some ten thousand blocks, shrinks, and grows again to less.
    const growing = i < 20_000 ? 8 : i < 32_000 ? 2 : 7;
    if (random(10) < growing || live.length === 0) {
      const at = 0x5000_0000_0000 + random(2 ** 30) * 16;
      live.push(at);
      steps.push({ do: "allocate", thread: 1, stack: random(5), allocator: MALLOC, size: random(500), address: at });
    } else {
      const [freed] = live.splice(random(live.length), 1);
      steps.push({ do: "free", thread: 2, address: freed as number });
    }
  }
  return steps;
}
