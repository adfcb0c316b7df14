import type { Language } from "../capture/language.js";
import type { AllocationRecord, Frame, MemorySnapshot } from "../capture/records.js";
import type { AllocatorType } from "../capture/wire.js";
import { identityOf, MERGED, type RecordContext } from "./allocation-record.js";
import { type IntervalRecords, NEVER } from "./interval-records.js";
import type { LocationFigures } from "./location-figures.js";

/**
 * A range of time, and what a location has to do with it. Time is counted in memory snapshots: interval i is the one
 * that ends with snapshot i, the last one that which follows the last snapshot.
 */
export interface Interval {
  /** The first interval. */
  readonly allocatedBeforeSnapshot: number;
  /** The first interval behind the last one; undefined where it goes on to the end. */
  readonly deallocatedBeforeSnapshot: number | undefined;
  /** Can be 0 or negative for mappings of which a part was unmapped: the sums are those of what is left. */
  readonly nAllocations: number;
  /** Bytes. */
  readonly nBytes: number;
}

/** What one location (thread, stack, allocator) allocated over time. */
export type TemporalAllocationRecord = Pick<
  AllocationRecord,
  "tid" | "threadName" | "language" | "allocator" | "stackId" | "stackTrace"
> & {
  readonly intervals: readonly Interval[];
};

/** Records over time, each location once. */
export interface TemporalAllocationRecords extends Iterable<TemporalAllocationRecord> {
  /**
   * The memory snapshots that intervals are counted in. As `getMemorySnapshots()` gives them, unless there were too many:
   * then both are thinned out, each in its way.
   */
  readonly snapshots: readonly MemorySnapshot[];
}

export interface TemporalHighWaterMarkAllocationRecords extends TemporalAllocationRecords {
  /** Live bytes at the high-water mark of each interval; one more than there are snapshots. */
  readonly highWaterMarkBySnapshot: readonly number[];
}

class LocatedTemporalRecord implements TemporalAllocationRecord {
  readonly tid: number;
  readonly threadName: string;
  readonly allocator: AllocatorType;
  readonly stackId: number;
  readonly intervals: readonly Interval[];
  readonly #context: RecordContext;

  constructor(
    context: RecordContext,
    thread: number,
    node: number,
    allocator: AllocatorType,
    intervals: readonly Interval[],
  ) {
    const { tid, threadName } = identityOf(context, thread);
    this.tid = tid;
    this.threadName = threadName;
    this.allocator = allocator;
    this.stackId = node;
    this.intervals = intervals;
    this.#context = context;
  }

  get language(): Language {
    return this.#context.stacks.language;
  }

  stackTrace(maxStacks?: number): Frame[] {
    return this.#context.stacks.of(this.stackId, maxStacks);
  }
}

/** A record per location that has rows; with `merged`, the rows are those of all threads. */
export function* temporalRecords(
  context: RecordContext,
  locations: LocationFigures["locations"],
  rows: IntervalRecords,
  merged: boolean,
): Generator<TemporalAllocationRecord, void, undefined> {
  const nodes = new Set<number>();
  for (let row = 0; row < rows.length; row++) nodes.add(locations.node.at(rows.location.at(row)));
  context.stacks.expect([...nodes]);
  for (let row = 0; row < rows.length; ) {
    const location = rows.location.at(row);
    const intervals: Interval[] = [];
    for (; row < rows.length && rows.location.at(row) === location; row++) {
      const freed = rows.deallocatedBefore.at(row);
      intervals.push({
        allocatedBeforeSnapshot: rows.allocatedBefore.at(row),
        deallocatedBeforeSnapshot: freed === NEVER ? undefined : freed,
        nAllocations: rows.count.at(row),
        nBytes: rows.bytes.at(row),
      });
    }
    const thread = merged ? MERGED : locations.thread.at(location);
    const [node, allocator] = [locations.node.at(location), locations.allocator.at(location)];
    yield new LocatedTemporalRecord(context, thread, node, allocator, intervals);
  }
}
