import type { TableData } from "../../../src/reporters/table-data.js";

/** Which line stands for an allocation: the innermost one of the program, or the one that allocated. */
export type PlaceOf = "owner" | "frame";

export interface GroupOptions {
  readonly place: PlaceOf;
  /** Whether each thread has rows of its own. */
  readonly splitThreads: boolean;
  /** Index of the only thread to count; -1 for all. */
  readonly thread: number;
  /** Index of the only allocator to count; -1 for all. */
  readonly allocator: number;
}

/** The rows as shown, in no order that means anything. */
export interface Rows {
  readonly length: number;
  /** The frame that the row names. */
  readonly frame: Uint32Array;
  readonly allocator: Uint8Array;
  /** Index of the row's thread; of several, the first one. */
  readonly thread: Uint32Array;
  readonly threadCount: Uint32Array;
  readonly bytes: Float64Array;
  readonly allocations: Float64Array;
}

/** Makes one row of all that has one frame, allocator and, where they are split, thread. Takes time linear in the data. */
export function groupRows(data: TableData, options: GroupOptions): Rows {
  const { rows } = data;
  const place = rows[options.place];
  const order = orderBy(data, options);
  const frame = new Uint32Array(order.length);
  const allocator = new Uint8Array(order.length);
  const thread = new Uint32Array(order.length);
  const threadCount = new Uint32Array(order.length);
  const bytes = new Float64Array(order.length);
  const allocations = new Float64Array(order.length);
  let last = -1;
  let lastThread = -1;
  for (let i = 0; i < order.length; i++) {
    const row = order[i] as number;
    const itsFrame = place[row] as number;
    const itsAllocator = rows.allocator[row] as number;
    const itsThread = rows.thread[row] as number;
    const same = last !== -1 && frame[last] === itsFrame && allocator[last] === itsAllocator;
    if (!same || (options.splitThreads && lastThread !== itsThread)) {
      last++;
      frame[last] = itsFrame;
      allocator[last] = itsAllocator;
      thread[last] = itsThread;
      threadCount[last] = 1;
    } else if (lastThread !== itsThread) {
      threadCount[last] = (threadCount[last] as number) + 1;
    }
    lastThread = itsThread;
    bytes[last] = (bytes[last] as number) + (rows.bytes[row] as number);
    allocations[last] = (allocations[last] as number) + (rows.allocations[row] as number);
  }
  const length = last + 1;
  return {
    length,
    frame: frame.subarray(0, length),
    allocator: allocator.subarray(0, length),
    thread: thread.subarray(0, length),
    threadCount: threadCount.subarray(0, length),
    bytes: bytes.subarray(0, length),
    allocations: allocations.subarray(0, length),
  };
}

/** The data's rows that count, by place, then allocator, then thread. */
function orderBy(data: TableData, { place, thread, allocator }: GroupOptions): Uint32Array {
  const { rows, frames } = data;
  let order = new Uint32Array(rows.frame.length);
  let length = 0;
  for (let row = 0; row < order.length; row++) {
    if (thread !== -1 && rows.thread[row] !== thread) continue;
    if (allocator !== -1 && rows.allocator[row] !== allocator) continue;
    order[length++] = row;
  }
  order = order.slice(0, length);
  // By owner, allocator and thread is how the data comes.
  if (place === "owner") return order;
  order = countingSort(order, rows.thread, data.threads.length);
  order = countingSort(order, rows.allocator, data.allocators.length);
  return countingSort(order, rows.frame, frames.line.length);
}

/** Sorts rows by a key below `limit`; rows of one key keep their order. */
export function countingSort(order: Uint32Array, key: ArrayLike<number>, limit: number): Uint32Array<ArrayBuffer> {
  const starts = new Uint32Array(limit + 1);
  for (let i = 0; i < order.length; i++) {
    const at = (key[order[i] as number] as number) + 1;
    starts[at] = (starts[at] as number) + 1;
  }
  for (let i = 1; i <= limit; i++) starts[i] = (starts[i] as number) + (starts[i - 1] as number);
  const sorted = new Uint32Array(order.length);
  for (let i = 0; i < order.length; i++) {
    const row = order[i] as number;
    const value = key[row] as number;
    const at = starts[value] as number;
    sorted[at] = row;
    starts[value] = at + 1;
  }
  return sorted;
}
