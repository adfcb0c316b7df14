import type { CaptureReader } from "../../src/analysis/capture-reader.js";
import type { TemporalAllocationRecord } from "../../src/analysis/temporal-records.js";
import type { AllocationRecord, Frame } from "../../src/capture/records.js";
import { AllocatorType } from "../../src/capture/wire.js";
import { plainSymbol, shortCppName } from "../../src/symbols/readable-names.js";

/** heapray's name for what was inlined where the debug information has no name for it. */
const INLINED = "<inlined>";

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

/** How stacks are told apart. */
export interface PlaceOptions {
  /** Functions of which memray has no line, as `name file`. */
  readonly lineless: ReadonlySet<string>;
  /** Machine code is among them. */
  readonly native: boolean;
  /** Whatever the thread. */
  readonly merged?: boolean;
  /** Bytes only: where memray adds up what it read from an aggregated capture, it counts a sum as one allocation. */
  readonly bytesOnly?: boolean;
}

/** Bytes and allocations by thread and stack, as memray tells. */
export function toldPlaces(places: readonly Place[], options: PlaceOptions): Figures {
  const sums = new Sums();
  for (const [tid, thread, stack, count, bytes] of places) {
    const whose = options.merged ? "" : `${tid} ${thread}: `;
    sums.add(`${whose}${stackText(stack, options.native)}`, count, bytes);
  }
  return sums.figures(options.bytesOnly);
}

/** The same as heapray tells; what it cannot name is called as in `told`. */
export function foundPlaces(records: Iterable<AllocationRecord>, options: PlaceOptions, told: Figures): Figures {
  const sums = new Sums();
  const names = new Names(told);
  for (const record of records) {
    const whose = options.merged ? "" : `${record.tid} ${record.threadName}: `;
    const stack = foundStack(record.stackTrace(), options);
    sums.add(
      options.native ? names.of(whose, stack) : `${whose}${stack.join(" < ")}`,
      record.nAllocations,
      record.size,
    );
  }
  return sums.figures(options.bytesOnly);
}

/** By interval between snapshots, thread and stack: lifetimes, as memray tells. */
export function toldLifetimes(spans: readonly Span[]): Figures {
  const sums = new Sums();
  for (const [tid, thread, born, died, stack, count, bytes] of spans) {
    sums.add(`${born} to ${died}, ${tid} ${thread}: ${stackText(stack, false)}`, count, bytes);
  }
  return sums.figures();
}

/** The same as heapray tells. */
export function foundLifetimes(records: Iterable<TemporalAllocationRecord>, options: PlaceOptions): Figures {
  const sums = new Sums();
  for (const { when, whose, count, bytes } of foundSpans(records, options)) {
    sums.add(`${when.join(" to ")}, ${whose}`, count, bytes);
  }
  return sums.figures();
}

/** By interval between snapshots, the first `intervals` of them: what was held at its high-water mark, as memray tells. */
export function toldMarks(spans: readonly Span[], intervals: number): Figures {
  const sums = new Sums();
  for (const [tid, thread, born, died, stack, count, bytes] of spans) {
    for (let i = born; i < (died < 0 ? intervals : Math.min(died, intervals)); i++) {
      sums.add(`${i}, ${tid} ${thread}: ${stackText(stack, false)}`, count, bytes);
    }
  }
  return sums.figures();
}

/** The same as heapray tells. */
export function foundMarks(
  records: Iterable<TemporalAllocationRecord>,
  intervals: number,
  options: PlaceOptions,
): Figures {
  const sums = new Sums();
  for (const { when, whose, count, bytes } of foundSpans(records, options)) {
    const [from, to] = when;
    for (let i = from; i < (to < 0 ? intervals : Math.min(to, intervals)); i++)
      sums.add(`${i}, ${whose}`, count, bytes);
  }
  return sums.figures();
}

function* foundSpans(records: Iterable<TemporalAllocationRecord>, options: PlaceOptions) {
  for (const record of records) {
    const whose = `${record.tid} ${record.threadName}: ${foundStack(record.stackTrace(), options).join(" < ")}`;
    for (const { allocatedBeforeSnapshot, deallocatedBeforeSnapshot, nAllocations, nBytes } of record.intervals) {
      const when = [allocatedBeforeSnapshot, deallocatedBeforeSnapshot ?? -1] as const;
      yield { when, whose, count: nAllocations, bytes: nBytes };
    }
  }
}

/** Bytes and allocations in all by innermost Python frame, as memray's `stats` counts them. */
export function foundLocations(
  reader: CaptureReader,
  lineless: ReadonlySet<string>,
): Map<string, { count: number; bytes: number }> {
  const found = new Map<string, { count: number; bytes: number }>();
  for (const record of reader.getTotalAllocationRecords()) {
    const innermost = record.stackTrace().find(({ native }) => !native);
    const key = innermost === undefined ? "<unknown>" : foundFrameText(innermost, lineless);
    const sum = found.get(key) ?? { count: 0, bytes: 0 };
    found.set(key, { count: sum.count + record.nAllocations, bytes: sum.bytes + record.size });
  }
  return found;
}

/** What an aggregated capture holds, by thread and allocator, as `memray parse` prints it. */
export function toldAggregates(parsed: string): Figures {
  const sums = new Sums();
  for (const line of parsed.split("\n")) {
    if (!line.startsWith("AGGREGATED_ALLOCATION ")) continue;
    const fields = Object.fromEntries(line.split(" ").map((field) => field.split("=")));
    const whose = `${fields.tid} ${String(fields.allocator).toUpperCase()}`;
    sums.add(`peak ${whose}`, Number(fields.n_allocations_in_high_water_mark), Number(fields.bytes_in_high_water_mark));
    sums.add(`leaks ${whose}`, Number(fields.n_allocations_leaked), Number(fields.bytes_leaked));
  }
  return sums.figures();
}

/** The same as heapray tells. */
export function foundAggregates(reader: CaptureReader): Figures {
  const sums = new Sums();
  const single = { mergeThreads: false };
  for (const [what, records] of [
    ["peak", reader.getHighWatermarkAllocationRecords(single)],
    ["leaks", reader.getLeakedAllocationRecords(single)],
  ] as const) {
    for (const { tid, allocator, nAllocations, size } of records) {
      sums.add(`${what} ${tid} ${AllocatorType[allocator]}`, nAllocations, size);
    }
  }
  return sums.figures();
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

/** As heapray shows it: `memray run`, and the runpy that it runs scripts and modules with, are left out at the outer end. */
function withoutRunner(stack: readonly PlacedFrame[]): readonly PlacedFrame[] {
  let runs = false;
  for (let i = stack.length - 1; i >= 0; i--) {
    const [name, file] = stack[i] as PlacedFrame;
    if (!isPython(file)) continue;
    const ofMemray = name === "_run_tracker" && file.endsWith("/memray/commands/run.py");
    const ofRunpy = /^(?:_run_code|_run_module_code|run_path|run_module)$/.test(name) && /\brunpy\b/.test(file);
    if (!ofMemray && !ofRunpy) return runs ? stack.slice(0, i + 1) : stack;
    runs = true;
  }
  return stack;
}

function stackText(whole: readonly PlacedFrame[], native: boolean): string {
  const stack = withoutRunner(whole);
  if (!native) return stack.map(frameText).join(" < ");
  return withoutRepeats(stack.map((frame) => (isPython(frame[1]) ? frameText(frame) : nativeName(frame[0]))));
}

function foundStack(stack: readonly Frame[], { native, lineless }: PlaceOptions): string[] {
  return stack.map((frame) => {
    if (native && frame.native) return frame.function === INLINED ? INLINED : nativeName(frame.function);
    return foundFrameText(frame, lineless);
  });
}

function foundFrameText({ function: name, file, line }: Frame, lineless: ReadonlySet<string>): string {
  return frameText([name, file, lineless.has(`${name} ${file}`) ? 0 : line]);
}

/** The functions of which memray has no line: before 3.10, those of one line. */
export function linelessIn(told: Told): Set<string> {
  const found = new Set<string>();
  const stacks = [...told.peak, ...told.leaks, ...Object.values(told.temporary ?? {}).flat()].map((place) => place[2]);
  const spans = [...(told.lifetimes ?? []), ...(told.marks ?? [])].map((span) => span[4]);
  const tops = [...(told.stats?.topBySize ?? []), ...(told.stats?.topByCount ?? [])].map(([frame]) => frame);
  for (const [name, file, line] of [...stacks, ...spans, tops].flat()) {
    if (line === 0 && isPython(file)) found.add(`${name} ${file}`);
  }
  return found;
}

/**
 * Where the compiler put a part of a function into another one and the debug information has no name for it, memray says
 * the other's name once more.
 */
function withoutRepeats(frames: readonly string[]): string {
  return frames.filter((frame, i) => frame !== frames[i + 1]).join(" < ");
}

/** The stacks in which heapray knows that something was inlined and not what: memray may know, or repeat a name. */
class Names {
  readonly #told: ReadonlySet<string>;
  readonly #known = new Map<string, string>();

  constructor(told: Figures) {
    this.#told = new Set(Object.keys(told));
  }

  of(whose: string, stack: readonly string[]): string {
    const plain = whose + withoutRepeats(stack.filter((frame) => frame !== INLINED));
    if (this.#told.has(plain) || !stack.includes(INLINED)) return plain;
    const text = whose + stack.join(" < ");
    const known = this.#known.get(text) ?? this.#search(whose, stack) ?? plain;
    this.#known.set(text, known);
    return known;
  }

  #search(whose: string, stack: readonly string[]): string | undefined {
    const pattern = stack.map((frame, i) => {
      if (frame === INLINED) return "(?:[^<> ]+ < )?";
      return escaped(frame) + (i < stack.length - 1 ? " < " : "");
    });
    const wanted = new RegExp(`^${escaped(whose)}${pattern.join("")}$`);
    for (const told of this.#told) if (wanted.test(told)) return told;
    return undefined;
  }
}

function isPython(file: string): boolean {
  return file.endsWith(".py") || (file.startsWith("<") && file !== "<unknown>");
}

/** As both call machine code: without parameters, template arguments, and what marks a clone; `?` where it has no name. */
function nativeName(name: string): string {
  return name === "<unknown>" || /^0x[0-9a-f]+ in /.test(name) ? "?" : shortCppName(plainSymbol(name));
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

class Sums {
  readonly #sums = new Map<string, { count: number; bytes: number }>();

  add(key: string, count: number, bytes: number): void {
    const sum = this.#sums.get(key) ?? { count: 0, bytes: 0 };
    this.#sums.set(key, { count: sum.count + count, bytes: sum.bytes + bytes });
  }

  figures(bytesOnly = false): Figures {
    const entries = [...this.#sums].filter(([, { count }]) => count > 0);
    return Object.fromEntries(
      entries
        .map(([key, { count, bytes }]): [string, string] => [key, bytesOnly ? `${bytes}` : `${count} ${bytes}`])
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    );
  }
}
