import type { Language } from "../capture/language.js";
import type { AllocationRecord, Frame } from "../capture/records.js";
import type { CaptureTables } from "../capture/tables.js";
import type { AllocatorType } from "../capture/wire.js";
import type { LocationFigures } from "./location-figures.js";
import type { StackTraces } from "./stack-traces.js";

/** Thread name of records that hold the allocations of all threads; their `tid` is 0. */
export const MERGED_THREAD_NAME = "merged thread";

/** What records of one capture share. */
export interface RecordContext {
  readonly tables: CaptureTables;
  readonly stacks: StackTraces;
}

/** Thread index of records that hold all threads' allocations. */
export const MERGED = -1;

/** The kernel's id and the name of a thread, or of all. */
export function identityOf(
  { tables, stacks: { language } }: RecordContext,
  thread: number,
): Pick<AllocationRecord, "tid" | "threadName" | "language"> {
  if (thread === MERGED) return { tid: 0, threadName: MERGED_THREAD_NAME, language };
  const threadName = tables.strings.get(tables.threadName.at(thread));
  return { tid: tables.threadTid.at(thread), threadName, language };
}

class LocatedRecord implements AllocationRecord {
  readonly tid: number;
  readonly threadName: string;
  readonly address: number;
  readonly size: number;
  readonly allocator: AllocatorType;
  readonly stackId: number;
  readonly nAllocations: number;
  readonly #stacks: StackTraces;

  constructor(
    context: RecordContext,
    thread: number,
    node: number,
    allocator: AllocatorType,
    address: number,
    size: number,
    nAllocations: number,
  ) {
    const { tid, threadName } = identityOf(context, thread);
    this.tid = tid;
    this.threadName = threadName;
    this.address = address;
    this.size = size;
    this.allocator = allocator;
    this.stackId = node;
    this.nAllocations = nAllocations;
    this.#stacks = context.stacks;
  }

  get language(): Language {
    return this.#stacks.language;
  }

  stackTrace(maxStacks?: number): Frame[] {
    return this.#stacks.of(this.stackId, maxStacks);
  }
}

/** One event of a capture. */
export function eventRecord(
  context: RecordContext,
  thread: number,
  node: number,
  allocator: AllocatorType,
  address: number,
  size: number,
): AllocationRecord {
  return new LocatedRecord(context, thread, node, allocator, address, size, 1);
}

/** Sums by location. */
export interface LocationSums {
  countOf(location: number): number;
  bytesOf(location: number): number;
}

/** What locations held at the high-water mark. */
export function atPeak(figures: LocationFigures): LocationSums {
  return { countOf: (location) => figures.peakCountOf(location), bytesOf: (location) => figures.peakBytesOf(location) };
}

/** What locations hold at the end. */
export function atEnd(figures: LocationFigures): LocationSums {
  return { countOf: (location) => figures.liveCountOf(location), bytesOf: (location) => figures.liveBytesOf(location) };
}

/** What the sums of the first `length` locations are now; of those that come later, nothing. */
export function heldSums(sums: LocationSums, length: number): LocationSums {
  const bytes = Float64Array.from({ length }, (_, location) => sums.bytesOf(location));
  const count = Float64Array.from({ length }, (_, location) => sums.countOf(location));
  return { bytesOf: (location) => bytes[location] ?? 0, countOf: (location) => count[location] ?? 0 };
}

/**
 * A record per location of which `sums` count something. In the order in which the locations first allocated. With
 * `mergeThreads` the locations of one stack and allocator are one record.
 */
export function* locationRecords(
  context: RecordContext,
  locations: LocationFigures["locations"],
  sums: LocationSums,
  mergeThreads: boolean,
): Generator<AllocationRecord, void, undefined> {
  const held: number[] = [];
  for (let location = 0; location < locations.length; location++) if (sums.countOf(location) > 0) held.push(location);
  context.stacks.expect(held.map((location) => locations.node.at(location)));
  const record = (thread: number, location: number, size: number, nAllocations: number) => {
    const allocator = locations.allocator.at(location);
    return new LocatedRecord(context, thread, locations.node.at(location), allocator, 0, size, nAllocations);
  };
  if (!mergeThreads) {
    for (const location of held) {
      yield record(locations.thread.at(location), location, sums.bytesOf(location), sums.countOf(location));
    }
    return;
  }
  const merged = new Map<number, { location: number; size: number; n: number }>();
  for (const location of held) {
    const n = sums.countOf(location);
    const key = placeOf(locations, location);
    const entry = merged.get(key);
    if (entry === undefined) {
      merged.set(key, { location, size: sums.bytesOf(location), n });
    } else {
      entry.size += sums.bytesOf(location);
      entry.n += n;
    }
  }
  for (const { location, size, n } of merged.values()) yield record(MERGED, location, size, n);
}

/** The location's stack and allocator in one number. */
export function placeOf({ node, allocator }: LocationFigures["locations"], location: number): number {
  return node.at(location) * 256 + allocator.at(location);
}
