import type { AllocationRecord, Frame } from "../capture/records.js";
import type { CaptureTables } from "../capture/tables.js";
import type { AllocatorType } from "../capture/wire.js";
import type { LocationColumns, LocationFigures, LocationSums } from "./location-figures.js";
import type { StackTraces } from "./stack-traces.js";

/** Thread name of records that hold the allocations of all threads; their `tid` is 0. */
export const MERGED_THREAD_NAME = "merged thread";

/** What records of one capture share. */
export interface RecordContext {
  readonly tables: CaptureTables;
  readonly stacks: StackTraces;
}

/** Thread index of records that hold all threads' allocations. */
const MERGED = -1;

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
    const { strings, threadTid, threadName } = context.tables;
    this.tid = thread === MERGED ? 0 : threadTid.at(thread);
    this.threadName = thread === MERGED ? MERGED_THREAD_NAME : strings.get(threadName.at(thread));
    this.address = address;
    this.size = size;
    this.allocator = allocator;
    this.stackId = node;
    this.nAllocations = nAllocations;
    this.#stacks = context.stacks;
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

/** What the locations hold at the high-water mark, or live at the end. */
export function sumsAt(figures: LocationFigures, moment: "peak" | "end"): LocationSums {
  return moment === "peak"
    ? {
        bytesOf: (location) => figures.peakBytesOf(location),
        countOf: (location) => figures.peakCountOf(location),
      }
    : {
        bytesOf: (location) => figures.liveBytesOf(location),
        countOf: (location) => figures.liveCountOf(location),
      };
}

/**
 * A record per location that has allocations, with their sums. In the order in which the locations first allocated. With
 * `mergeThreads` the locations of one stack and allocator are one record.
 */
export function* locationRecords(
  context: RecordContext,
  locations: LocationColumns,
  sums: LocationSums,
  mergeThreads: boolean,
): Generator<AllocationRecord, void, undefined> {
  const count = (location: number) => sums.countOf(location);
  const bytes = (location: number) => sums.bytesOf(location);
  const held: number[] = [];
  for (let location = 0; location < locations.length; location++) if (count(location) > 0) held.push(location);
  context.stacks.expect(held.map((location) => locations.node.at(location)));
  const record = (thread: number, location: number, size: number, nAllocations: number) => {
    const allocator = locations.allocator.at(location);
    return new LocatedRecord(context, thread, locations.node.at(location), allocator, 0, size, nAllocations);
  };
  if (!mergeThreads) {
    for (const location of held) {
      yield record(locations.thread.at(location), location, bytes(location), count(location));
    }
    return;
  }
  const merged = new Map<number, { location: number; size: number; n: number }>();
  for (const location of held) {
    const n = count(location);
    const key = locations.node.at(location) * 256 + locations.allocator.at(location);
    const entry = merged.get(key);
    if (entry === undefined) {
      merged.set(key, { location, size: bytes(location), n });
    } else {
      entry.size += bytes(location);
      entry.n += n;
    }
  }
  for (const { location, size, n } of merged.values()) yield record(MERGED, location, size, n);
}
