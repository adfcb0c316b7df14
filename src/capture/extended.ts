import type { AggregateTable } from "./aggregate.js";
import { isDeallocator } from "./allocators.js";
import type { ByteWindow } from "./byte-window.js";
import type { CaptureEnd } from "./capture-source.js";
import { mustExist } from "./definitions.js";
import type { RawSnapshot } from "./event-batch.js";
import type { ResidentPages } from "./records.js";
import type { CaptureTables } from "./tables.js";
import { Extended, MAX_BUILD_ID_BYTES, MAX_STRING_BYTES } from "./wire.js";

const MAX_EXTENDED_BYTES = MAX_STRING_BYTES;

/** What an extended record says; neither where it went into the aggregate, and for subtypes of later versions. */
export interface ExtendedRecord {
  readonly snapshot?: RawSnapshot;
  readonly end?: CaptureEnd;
}

/**
 * Decodes an extended record from the window's position, which is after its tag at `start`; those of aggregated captures
 * go into `aggregate`. Undefined where the input ends inside of it.
 * @throws CaptureError `CORRUPT`
 */
export function readExtended(
  start: number,
  window: ByteWindow,
  tables: CaptureTables,
  aggregate: AggregateTable,
): ExtendedRecord | undefined {
  const subtype = window.bytes[window.position++];
  const length = window.varint();
  if (window.overrun) return undefined;
  if (length > MAX_EXTENDED_BYTES) throw window.corrupt(start, `an extended record claims ${length} bytes`);
  // The window may move, and with it the positions in it.
  const header = window.position - start;
  if (!window.ensure(length)) return undefined;
  const content = window.position;
  const after = content + length;
  let record: ExtendedRecord = {};
  if (subtype === Extended.SNAPSHOT) record = { snapshot: readSnapshot(content - header, after, window) };
  else if (subtype === Extended.TRAILER) record = { end: readTrailer(content - header, after, window) };
  else if (subtype === Extended.LOCATION) readLocation(content - header, after, window, tables, aggregate);
  else if (subtype === Extended.TOTALS) readTotals(content - header, after, window, aggregate);
  else if (subtype === Extended.MODULE) readModule(content - header, after, window, tables);
  else if (subtype === Extended.SYMBOL) readSymbol(content - header, after, window, tables);
  window.position = after;
  return record;
}

function readModule(start: number, after: number, window: ByteWindow, tables: CaptureTables): void {
  const path = window.varint();
  const bias = window.varint();
  const length = window.varint();
  const end = window.position + length;
  if (end > after) throw window.corrupt(start, "a module is too short");
  if (length > MAX_BUILD_ID_BYTES) throw window.corrupt(start, `a build id claims ${length} bytes`);
  mustExist(window, start, "string", path, tables.strings.length);
  tables.modulePath.push(path);
  tables.moduleBias.push(bias);
  tables.moduleBuildId.push(hexadecimal(window.bytes.subarray(window.position, end)));
}

function readSymbol(start: number, after: number, window: ByteWindow, tables: CaptureTables): void {
  const frame = window.varint();
  const name = window.varint();
  if (window.position > after) throw window.corrupt(start, "a symbol is too short");
  mustExist(window, start, "frame", frame, tables.frameEnd.length);
  mustExist(window, start, "string", name, tables.strings.length);
  if (frame === 0 || !tables.isNative(frame))
    throw window.corrupt(start, `frame ${frame} has a symbol and is not native`);
  tables.frameSymbol.set(frame, name);
}

function hexadecimal(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function readSnapshot(start: number, after: number, window: ByteWindow): RawSnapshot {
  const timeMs = window.varint();
  const rss = window.varint();
  const heapUsed = window.varint();
  const heapCommitted = window.varint();
  const external = window.varint();
  if (window.position > after) throw window.corrupt(start, "a memory snapshot is too short");
  const snapshot = { timeMs, rss, heapUsed, heapCommitted, external };
  if (window.position === after) return snapshot;
  const tracked = window.varint();
  if (window.position > after) throw window.corrupt(start, "a memory snapshot is too short");
  if (window.position === after) return { ...snapshot, tracked };
  return { ...snapshot, tracked, resident: readResidentPages(start, after, window) };
}

function readResidentPages(start: number, after: number, window: ByteWindow): ResidentPages {
  // In this order.
  const [rss, files, stacks, v8Heap] = [window.varint(), window.varint(), window.varint(), window.varint()];
  const [heapray, mapped, arenas, other] = [window.varint(), window.varint(), window.varint(), window.varint()];
  const [inUseInArenas, largeBlocks] = [window.varint(), window.varint()];
  if (window.position > after) throw window.corrupt(start, "a memory snapshot is too short");
  return { rss, files, stacks, v8Heap, heapray, mapped, arenas, other, inUseInArenas, largeBlocks };
}

function readLocation(
  start: number,
  after: number,
  window: ByteWindow,
  { threadTid, nodeParent }: CaptureTables,
  aggregate: AggregateTable,
): void {
  const thread = window.varint();
  const node = window.varint();
  const allocator = window.varint();
  const [peakCount, peakBytes] = [window.varint(), window.varint()];
  const [liveCount, liveBytes] = [window.varint(), window.varint()];
  if (window.position > after) throw window.corrupt(start, "a location is too short");
  if (thread >= threadTid.length) throw window.corrupt(start, `thread ${thread} is used before it is defined`);
  if (node >= nodeParent.length) throw window.corrupt(start, `stack node ${node} is used before it is defined`);
  if (allocator < 1 || allocator > 255 || isDeallocator(allocator)) {
    throw window.corrupt(start, `${allocator} is not the number of an allocator`);
  }
  const figures = [peakCount, peakBytes, liveCount, liveBytes];
  if (!figures.every(Number.isSafeInteger)) throw window.corrupt(start, "a location holds more than memory can");
  aggregate.thread.push(thread);
  aggregate.node.push(node);
  aggregate.allocator.push(allocator);
  aggregate.peakCount.push(peakCount);
  aggregate.peakBytes.push(peakBytes);
  aggregate.liveCount.push(liveCount);
  aggregate.liveBytes.push(liveBytes);
}

function readTotals(start: number, after: number, window: ByteWindow, aggregate: AggregateTable): void {
  const allocations = window.varint();
  const bytes = window.varint();
  if (window.position > after) throw window.corrupt(start, "its totals are too short");
  aggregate.totals = { allocations, bytes };
}

function readTrailer(start: number, after: number, window: ByteWindow): CaptureEnd {
  let trailer: unknown;
  try {
    trailer = JSON.parse(new TextDecoder().decode(window.bytes.subarray(window.position, after)));
  } catch (error) {
    throw window.corrupt(start, "its trailer is not JSON", error);
  }
  const { endTimeMs, reason, signal } = (trailer ?? {}) as Partial<Record<keyof CaptureEnd, unknown>>;
  if (typeof endTimeMs !== "number") throw window.corrupt(start, "its trailer has no end time");
  return {
    endTimeMs,
    reason: typeof reason === "string" ? reason : "",
    ...(typeof signal === "number" ? { signal } : {}),
  };
}
