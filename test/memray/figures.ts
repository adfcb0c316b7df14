import type { CaptureReader } from "../../src/analysis/capture-reader.js";
import type { TemporalAllocationRecord } from "../../src/analysis/temporal-records.js";
import type { AllocationRecord, Frame } from "../../src/capture/records.js";
import { AllocatorType } from "../../src/capture/wire.js";
import { plainSymbol, shortCppName } from "../../src/symbols/readable-names.js";

/** What memray tells of a capture (dump.py). Stacks are as text, innermost first. */
export interface Told {
  readonly metadata: {
    readonly peak: number;
    readonly pid: number;
    readonly command: string;
    readonly start: number;
    readonly end: number;
    readonly mainThread: number;
    readonly native: boolean;
    readonly allocations: number;
  };
  readonly peak: readonly Place[];
  readonly leaks: readonly Place[];
  readonly mergedPeak: readonly Place[];
  readonly snapshots: readonly [time: number, rss: number, heap: number][];
  readonly temporary?: Readonly<Record<string, readonly Place[]>>;
  readonly lifetimes?: readonly Span[];
  readonly marks?: readonly Span[];
  readonly marksBySnapshot?: readonly number[];
  readonly stats?: {
    readonly allocations: number;
    readonly bytes: number;
    readonly peak: number;
    readonly bySize: readonly [size: number, count: number][];
    readonly byAllocator: Readonly<Record<string, number>>;
    readonly topBySize: readonly [PlacedFrame, number][];
    readonly topByCount: readonly [PlacedFrame, number][];
  };
}

export type PlacedFrame = readonly [name: string, file: string, line: number];
type Place = readonly [tid: number, thread: string, stack: readonly PlacedFrame[], count: number, bytes: number];
type Span = readonly [
  tid: number,
  thread: string,
  born: number,
  died: number,
  stack: readonly PlacedFrame[],
  count: number,
  bytes: number,
];

/** Figures by a line that says whose they are: `count bytes`. */
export type Figures = Readonly<Record<string, string>>;

/** Bytes and allocations by thread and stack, as memray tells. */
export function toldPlaces(places: readonly Place[], native: boolean, merged = false): Figures {
  const sums = new Sums();
  for (const [tid, thread, stack, count, bytes] of places) {
    sums.add(`${merged ? "" : `${tid} ${thread}: `}${stackText(stack, native)}`, count, bytes);
  }
  return sums.figures();
}

/** The same as heapray tells. */
export function foundPlaces(records: Iterable<AllocationRecord>, native: boolean, merged = false): Figures {
  const sums = new Sums();
  for (const record of records) {
    const whose = merged ? "" : `${record.tid} ${record.threadName}: `;
    sums.add(`${whose}${foundStackText(record.stackTrace(), native)}`, record.nAllocations, record.size);
  }
  return sums.figures();
}

/**
 * By interval, thread and stack, as memray tells. Of high-water marks it tells of an interval more than there are, `count`,
 * in which nothing can be the highest.
 */
export function toldSpans(spans: readonly Span[], count = Number.POSITIVE_INFINITY): Figures {
  const sums = new Sums();
  for (const [tid, thread, born, died, stack, allocations, bytes] of spans) {
    const when = `${born} to ${died >= count ? -1 : died}`;
    if (born < count) sums.add(`${when}, ${tid} ${thread}: ${stackText(stack, false)}`, allocations, bytes);
  }
  return sums.figures();
}

/** The same as heapray tells. */
export function foundSpans(records: Iterable<TemporalAllocationRecord>): Figures {
  const sums = new Sums();
  for (const record of records) {
    const whose = `${record.tid} ${record.threadName}: ${foundStackText(record.stackTrace(), false)}`;
    for (const interval of record.intervals) {
      const when = `${interval.allocatedBeforeSnapshot} to ${interval.deallocatedBeforeSnapshot ?? -1}`;
      sums.add(`${when}, ${whose}`, interval.nAllocations, interval.nBytes);
    }
  }
  return sums.figures();
}

/** Bytes and allocations in all by innermost Python frame, as memray's `stats` counts them. */
export function foundLocations(reader: CaptureReader): Map<string, { count: number; bytes: number }> {
  const found = new Map<string, { count: number; bytes: number }>();
  for (const record of reader.getTotalAllocationRecords()) {
    const innermost = record.stackTrace().find(({ native }) => !native);
    const key = innermost === undefined ? "<unknown>" : frameText([innermost.function, innermost.file, innermost.line]);
    const sum = found.get(key) ?? { count: 0, bytes: 0 };
    found.set(key, { count: sum.count + record.nAllocations, bytes: sum.bytes + record.size });
  }
  return found;
}

export function foundAllocators(reader: CaptureReader): Record<string, number> {
  const found: Record<string, number> = {};
  for (const { allocator, nAllocations } of reader.getTotalAllocationRecords()) {
    const name = AllocatorType[allocator] as string;
    found[name] = (found[name] ?? 0) + nAllocations;
  }
  return found;
}

/** A function, its file and its line. */
export function frameText([name, file, line]: PlacedFrame): string {
  return `${name} ${file}:${line}`;
}

function stackText(stack: readonly PlacedFrame[], native: boolean): string {
  if (!native) return stack.map(frameText).join(" < ");
  return withoutRepeats(stack.map((frame) => (isPython(frame[1]) ? frameText(frame) : nativeName(frame[0]))));
}

function foundStackText(stack: readonly Frame[], native: boolean): string {
  const placed = (frame: Frame): string => frameText([frame.function, frame.file, frame.line]);
  if (!native) return stack.map(placed).join(" < ");
  const named = stack.filter((frame) => frame.function !== "<inlined>");
  return withoutRepeats(named.map((frame) => (frame.native ? nativeName(frame.function) : placed(frame))));
}

/**
 * Where the compiler put a part of a function into another one and the debug information has no name for it, memray says
 * the other's name once more, and heapray `<inlined>`.
 */
function withoutRepeats(frames: readonly string[]): string {
  return frames.filter((frame, i) => frame !== frames[i + 1]).join(" < ");
}

function isPython(file: string): boolean {
  return file.endsWith(".py") || (file.startsWith("<") && file !== "<unknown>");
}

/** As both call machine code: without parameters, template arguments, and what marks a clone; `?` where it has no name. */
function nativeName(name: string): string {
  return name === "<unknown>" || /^0x[0-9a-f]+ in /.test(name) ? "?" : shortCppName(plainSymbol(name));
}

class Sums {
  readonly #sums = new Map<string, { count: number; bytes: number }>();

  add(key: string, count: number, bytes: number): void {
    const sum = this.#sums.get(key) ?? { count: 0, bytes: 0 };
    this.#sums.set(key, { count: sum.count + count, bytes: sum.bytes + bytes });
  }

  figures(): Figures {
    const entries = [...this.#sums].filter(([, { count }]) => count > 0);
    return Object.fromEntries(
      entries
        .map(([key, { count, bytes }]): [string, string] => [key, `${count} ${bytes}`])
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    );
  }
}
