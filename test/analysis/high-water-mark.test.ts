import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AllocationRecord } from "../../src/capture/records.js";
import { AllocatorType } from "../../src/capture/wire.js";
import { MemoryModel, mergeThreads, type Step } from "../support/memory-model.js";
import { readerOf } from "../support/memory-reader.js";
import { longRun, PAGES, randomSteps, usageOf, write } from "../support/memory-steps.js";

const { MALLOC } = AllocatorType;

describe("the high-water mark, the leaks and the snapshots", () => {
  it("are those of a brute-force model", () => {
    fc.assert(
      fc.property(randomSteps, (steps) => {
        const model = new MemoryModel(PAGES);
        for (const one of steps) model.step(one);
        const reader = readerOf(write(steps));
        expect(reader.metadata.peakMemory).toBe(model.peak);
        const [peak, leaks] = [model.peakUsage, model.usage()];
        expect(usageOf(reader.getHighWatermarkAllocationRecords({ mergeThreads: false }))).toEqual(peak);
        expect(usageOf(reader.getHighWatermarkAllocationRecords())).toEqual(mergeThreads(peak));
        expect(usageOf(reader.getLeakedAllocationRecords({ mergeThreads: false }))).toEqual(leaks);
        expect(usageOf(reader.getLeakedAllocationRecords())).toEqual(mergeThreads(leaks));
        expect([...reader.getMemorySnapshots()].map((snapshot) => snapshot.tracked)).toEqual(model.tracked);
        expect(reader.metadata.totalAllocations).toBe(
          steps.filter((one) => one.do === "allocate" || one.do === "map").length,
        );
      }),
      { numRuns: 1000 },
    );
  });

  it("are those of the model on a long run with many live blocks", () => {
    const steps = longRun();
    // The model looks at all of memory at each step, which would take too long here; sums do for blocks alone.
    const sizes = new Map<number, number>();
    let [now, peak] = [0, 0];
    for (const one of steps) {
      if (one.do === "allocate") {
        now += one.size - (sizes.get(one.address) ?? 0);
        sizes.set(one.address, one.size);
      } else if (one.do === "free") {
        now -= sizes.get(one.address) ?? 0;
        sizes.delete(one.address);
      }
      peak = Math.max(peak, now);
    }
    const reader = readerOf(write(steps));
    const sum = (records: Iterable<AllocationRecord>) => [...records].reduce((total, { size }) => total + size, 0);
    const count = (records: Iterable<AllocationRecord>) => [...records].reduce((n, r) => n + r.nAllocations, 0);
    expect(reader.metadata.peakMemory).toBe(peak);
    expect(sum(reader.getHighWatermarkAllocationRecords())).toBe(peak);
    expect(sum(reader.getLeakedAllocationRecords())).toBe(now);
    expect(count(reader.getLeakedAllocationRecords())).toBe(sizes.size);
  });

  it("take the first of several equal maxima", () => {
    const [a, b] = [1, 2];
    const steps: Step[] = [
      { do: "allocate", thread: 1, stack: a, allocator: MALLOC, size: 100, address: 0x10 },
      { do: "free", thread: 1, address: 0x10 },
      { do: "allocate", thread: 1, stack: b, allocator: MALLOC, size: 100, address: 0x20 },
    ];
    expect([...readerOf(write(steps)).getHighWatermarkAllocationRecords()].map((r) => r.stackId)).toEqual([a]);
  });
});
