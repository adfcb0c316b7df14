import { AllocatorType } from "../../src/capture/wire.js";
import { type Interval, PAGE, type Step, type Usage } from "./memory-model.js";

/** What was allocated in the interval `first` or later and is live at the end of `last`. */
export function leaked(intervals: readonly Interval[], first: number, last: number): Usage {
  const usage: Usage = {};
  for (const [key, { count, size }] of Object.entries(intervals[last]?.endUsage ?? {})) {
    const [location = "", made] = key.split("@");
    if (Number(made) < first) continue;
    usage[location] ??= { count: 0, size: 0 };
    usage[location].count += count;
    usage[location].size += size;
  }
  return usage;
}

function allocatorOf(step: Step & { do: "allocate" | "map" }): AllocatorType {
  if (step.do === "allocate") return step.allocator;
  return step.heapPages ? AllocatorType.HEAP_PAGES : AllocatorType.MMAP;
}

/** Each allocation of the steps. */
export function* allocations(steps: readonly Step[]) {
  for (const step of steps) {
    if (step.do !== "allocate" && step.do !== "map") continue;
    const allocator = allocatorOf(step);
    const location = `${step.thread}:${step.stack}:${AllocatorType[allocator]}`;
    yield { location, allocator, size: step.do === "map" ? step.pages * PAGE : step.size };
  }
}

/** Temporary allocations by the definition: looks back from each free. */
export function temporaries(steps: readonly Step[], threshold: number): Usage {
  const usage: Usage = {};
  steps.forEach((free, at) => {
    if (free.do !== "free" && free.do !== "unmap") return;
    let others = 0;
    for (let i = at - 1; i >= 0; i--) {
      const step = steps[i] as Step;
      if (step.do === "snapshot") continue;
      const same =
        free.do === "free"
          ? (step.do === "allocate" || step.do === "free") && step.address === free.address
          : (step.do === "map" || step.do === "unmap") && overlap(step, free);
      if (same) {
        const whole =
          step.do !== "map" || free.do !== "unmap" || (step.page === free.page && step.pages === free.pages);
        if (
          (step.do === "allocate" || step.do === "map") &&
          step.thread === free.thread &&
          whole &&
          others <= threshold
        ) {
          const location = `${step.thread}:${step.stack}:${AllocatorType[allocatorOf(step)]}`;
          usage[location] ??= { count: 0, size: 0 };
          usage[location].count++;
          usage[location].size += step.do === "map" ? step.pages * PAGE : step.size;
        }
        return;
      }
      if ((step.do === "allocate" || step.do === "map") && step.thread === free.thread) others++;
    }
  });
  return usage;
}

function overlap(a: { page: number; pages: number }, b: { page: number; pages: number }): boolean {
  // An empty range lies nowhere.
  return a.pages > 0 && b.pages > 0 && a.page < b.page + b.pages && b.page < a.page + a.pages;
}
