import type { Frame } from "../capture/records.js";
import type { AllocatorType } from "../capture/wire.js";
import { identityOf, type RecordContext } from "./allocation-record.js";
import type { AllocationStatistics } from "./allocation-statistics.js";
import { answeringFrame, answeringModule } from "./answering-frame.js";
import type { LocationFigures } from "./location-figures.js";
import { type SizeBin, sizeHistogram } from "./size-histogram.js";

/** What a line of source allocated. */
export interface LocationTotal {
  /** Of memory without anything but native code on its stack, the native function, or what tells the thread. */
  readonly function: string;
  /** Empty for threads without a stack. */
  readonly file: string;
  /** 1-based; 0 when unknown. */
  readonly line: number;
  /** Bytes. */
  readonly size: number;
  readonly nAllocations: number;
}

/** What a module allocated: a package, or a file of the program's own. */
export interface ModuleTotal {
  readonly module: string;
  /** Bytes. */
  readonly size: number;
  readonly nAllocations: number;
}

/** What was allocated in all, freed or not. */
export interface Statistics {
  /** Allocations made, mappings included. */
  readonly totalNumAllocations: number;
  /** Bytes of all of them. */
  readonly totalMemoryAllocated: number;
  /** Live bytes at the high-water mark. */
  readonly peakMemoryAllocated: number;
  /** Frames of stacks, each that is distinct. */
  readonly totalFrames: number;
  /** Allocations by requested bytes, in the order of these. */
  readonly allocationCountBySize: ReadonlyMap<number, number>;
  /** The same in ten bins, equally wide on a logarithmic scale; empty where nothing was allocated. */
  readonly allocationSizeHistogram: readonly SizeBin[];
  /** Allocations by allocator, the most first. */
  readonly allocationCountByAllocator: ReadonlyMap<AllocatorType, number>;
  /**
   * The lines that allocated most bytes, in falling order. The line that answers for an allocation is the innermost one
   * of the program itself; where there is none, of its packages, then of the runtime.
   */
  readonly topLocationsBySize: readonly LocationTotal[];
  /** The lines that made most allocations, in falling order. */
  readonly topLocationsByCount: readonly LocationTotal[];
  /** The modules that allocated most bytes, in falling order. */
  readonly topModulesByAllocationSize: readonly ModuleTotal[];
  /** The modules that made most allocations, in falling order. */
  readonly topModulesByAllocationCount: readonly ModuleTotal[];
}

interface Sum {
  size: number;
  nAllocations: number;
}

/** Puts together what one pass over a capture has found. */
export function statisticsOf(
  found: AllocationStatistics,
  figures: LocationFigures,
  context: RecordContext,
  { cwd, numLargest }: { readonly cwd: string; readonly numLargest: number },
): Statistics {
  const { lines, modules } = totals(found, figures.locations, context, cwd);
  const bySize = (a: Sum, b: Sum) => b.size - a.size || b.nAllocations - a.nAllocations;
  const byCount = (a: Sum, b: Sum) => b.nAllocations - a.nAllocations || b.size - a.size;
  const countBySize = found.countBySize();
  return {
    totalNumAllocations: found.totalAllocations,
    totalMemoryAllocated: found.totalBytes,
    peakMemoryAllocated: figures.peakBytes,
    totalFrames: context.tables.frameEnd.length - 1,
    allocationCountBySize: countBySize,
    allocationSizeHistogram: sizeHistogram(countBySize),
    allocationCountByAllocator: found.countByAllocator() as Map<AllocatorType, number>,
    topLocationsBySize: lines.toSorted(bySize).slice(0, numLargest),
    topLocationsByCount: lines.toSorted(byCount).slice(0, numLargest),
    topModulesByAllocationSize: modules.toSorted(bySize).slice(0, numLargest),
    topModulesByAllocationCount: modules.toSorted(byCount).slice(0, numLargest),
  };
}

function totals(
  found: AllocationStatistics,
  locations: LocationFigures["locations"],
  context: RecordContext,
  cwd: string,
): { lines: LocationTotal[]; modules: ModuleTotal[] } {
  const lines = new Map<string, Omit<LocationTotal, keyof Sum> & Sum>();
  const modules = new Map<string, Pick<ModuleTotal, "module"> & Sum>();
  const made: number[] = [];
  for (let location = 0; location < locations.length; location++) if (found.countOf(location) > 0) made.push(location);
  context.stacks.expect(made.map((location) => locations.node.at(location)));
  for (const location of made) {
    const frames: readonly Frame[] = context.stacks.of(locations.node.at(location));
    const sum = { size: found.bytesOf(location), nAllocations: found.countOf(location) };
    const frame = answeringFrame(frames, identityOf(context, locations.thread.at(location)));
    const { function: name, file, line } = frame;
    add(lines, `${file}\0${line}\0${name}`, sum, { function: name, file, line });
    const module = answeringModule(frames, cwd, context.stacks.language);
    add(modules, module, sum, { module });
  }
  return { lines: [...lines.values()], modules: [...modules.values()] };
}

function add<Named extends object>(
  sums: Map<string, Named & Sum>,
  key: string,
  { size, nAllocations }: Sum,
  what: Named,
) {
  const sum = sums.get(key);
  if (sum === undefined) {
    sums.set(key, { ...what, size, nAllocations });
  } else {
    sum.size += size;
    sum.nAllocations += nAllocations;
  }
}
