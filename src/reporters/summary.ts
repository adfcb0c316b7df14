import { answeringFrame } from "../analysis/answering-frame.js";
import { type FrameOrigin, originOf } from "../analysis/frame-origin.js";
import { isPymalloc } from "../capture/allocators.js";
import { languageOf } from "../capture/language.js";
import type { AllocationRecord, Frame, Metadata } from "../capture/records.js";
import { AllocatorType } from "../capture/wire.js";
import { count, formatSize, share } from "./figures.js";
import { placeOf, programLines } from "./program-lines.js";
import { table } from "./text-table.js";

export interface SummaryInput {
  /** Live allocations, merged by location or not; not over threads, whose names stand for what has no stack. */
  readonly records: Iterable<AllocationRecord>;
  readonly metadata: Metadata;
  readonly kind: "high-water-mark" | "leaks" | "temporary";
  /** How many lines to tell of. */
  readonly top: number;
  /** What the lines are in falling order of; their own bytes unless told. */
  readonly sort?: SummarySort;
}

/** The columns that lines can be in order of. */
export type SummarySort = "total" | "own" | "allocations";

const WHAT: Readonly<Record<SummaryInput["kind"], string>> = {
  "high-water-mark": "held at the peak",
  leaks: "still held at the end",
  temporary: "freed soon after they were made",
};

/** What one line of source holds; its own is what it answers for (see answeringFrame). */
export interface SummaryLine {
  readonly function: string;
  /** Empty for threads without a stack. */
  readonly file: string;
  readonly line: number;
  readonly bytes: number;
  readonly allocations: number;
  /** Bytes of all stacks that it is on. */
  readonly totalBytes: number;
}

export interface Summary {
  readonly metadata: Metadata;
  readonly kind: SummaryInput["kind"];
  /** Live bytes of all records. */
  readonly bytes: number;
  readonly allocations: number;
  /** Bytes whose stack has a frame of the program itself. */
  readonly programBytes: number;
  /** Bytes of objects of the JavaScript heap, estimated. */
  readonly jsBytes: number;
  /** Bytes of the blocks of Python's own allocator. */
  readonly pythonBytes: number;
  readonly sort: SummarySort;
  /** The lines that hold most, in falling order. */
  readonly lines: readonly SummaryLine[];
}

type Line = { -readonly [Key in keyof SummaryLine]: SummaryLine[Key] };

/**
 * Adds up live allocations by the line that answers for them, and by all lines of the program and its packages that led
 * there.
 */
export function summarize({ records, metadata, kind, top, sort = "own" }: SummaryInput): Summary {
  const lines = new Lines();
  let bytes = 0;
  let allocations = 0;
  let programBytes = 0;
  let jsBytes = 0;
  let pythonBytes = 0;
  for (const record of records) {
    const stack = record.stackTrace();
    const frame = answeringFrame(stack, record);
    const isProgram = frame.file !== "" && originOf(frame) === "program";
    bytes += record.size;
    allocations += record.nAllocations;
    if (isProgram) programBytes += record.size;
    if (record.allocator === AllocatorType.JS_OBJECT) jsBytes += record.size;
    if (isPymalloc(record.allocator)) pythonBytes += record.size;
    const own = lines.of(frame);
    own.bytes += record.size;
    own.allocations += record.nAllocations;
    // A line that calls itself is on the stack several times, and counts once.
    const through = new Set([own]);
    for (const outer of stack) {
      const line = lines.leadingThrough(outer);
      if (line !== undefined) through.add(line);
    }
    for (const line of through) line.totalBytes += record.size;
  }
  const key = { total: "totalBytes", own: "bytes", allocations: "allocations" } as const;
  // What a line only led to is in order of totals.
  const shown = [...lines.all()].filter((line) => sort === "total" || line.allocations > 0);
  const sorted = shown.sort((a, b) => b[key[sort]] - a[key[sort]] || (a.file < b.file ? -1 : 1));
  return { metadata, kind, bytes, allocations, programBytes, jsBytes, pythonBytes, sort, lines: sorted.slice(0, top) };
}

/** Whose lines lead to memory; those of the runtime are on every stack. */
const LEADS: ReadonlySet<FrameOrigin> = new Set(["program", "dependency"]);

class Lines {
  readonly #lines = new Map<string, Line>();
  /** Deep stacks have the same few frames again and again: their texts are looked at once. */
  readonly #leading = new Map<Frame, Line | null>();

  of({ function: name, file, line: number }: Frame): Line {
    const key = `${file}\0${number}\0${name}`;
    let line = this.#lines.get(key);
    if (line === undefined) {
      line = { function: name, file, line: number, bytes: 0, allocations: 0, totalBytes: 0 };
      this.#lines.set(key, line);
    }
    return line;
  }

  /** The frame's line, where it is one of the program or its packages. */
  leadingThrough(frame: Frame): Line | undefined {
    let line = this.#leading.get(frame);
    if (line === undefined) {
      line = LEADS.has(originOf(frame)) ? this.of(frame) : null;
      this.#leading.set(frame, line);
    }
    return line ?? undefined;
  }

  all(): Iterable<Line> {
    return this.#lines.values();
  }
}

/**
 * The summary as text, one screen of it, ending with a newline.
 * @param cwd files below it are shown relative to it
 */
export function renderSummary(summary: Summary, cwd: string): string {
  const { metadata, kind, bytes, allocations, jsBytes, pythonBytes, sort, lines } = summary;
  const shown = lines.reduce((sum, line) => sum + line.bytes, 0);
  const what = WHAT[kind];
  const onTheseLines = `${share(shown, bytes)} of it on ${lines.length === 1 ? "this line" : `these ${lines.length} lines`}`;
  const head = [
    ...programLines(metadata, cwd),
    `  ${formatSize(metadata.peakMemory)} at the peak, ${count(metadata.totalAllocations)} allocations in all`,
  ];
  if (metadata.traceJsHeap !== false) {
    const sampled = metadata.traceJsHeap === 1 ? "" : `, sampled every ${formatSize(metadata.traceJsHeap)}`;
    head.push(
      `  ${formatSize(bytes - jsBytes)} native and ${formatSize(jsBytes)} of JavaScript objects${sampled}, ${what}`,
    );
  }
  if (metadata.tracePythonAllocators) {
    head.push(
      `  ${formatSize(bytes - pythonBytes)} native and ${formatSize(pythonBytes)} of Python's own allocator, ${what}`,
    );
  }
  if (lines.length === 0) return `${[...head, "", `Nothing was ${what}.`].join("\n")}\n`;
  const rows = lines.map((line) => [
    formatSize(line.totalBytes),
    share(line.totalBytes, bytes),
    formatSize(line.bytes),
    share(line.bytes, bytes),
    count(line.allocations),
    placeOf(line, cwd),
  ]);
  const mark = (column: SummarySort) => (column === sort ? `<${column}>` : column);
  return `${[
    ...head,
    "",
    `${formatSize(bytes)} in ${count(allocations)} allocations ${what}${sort === "own" ? `; ${onTheseLines}` : ""}:`,
    "",
    ...table([[mark("total"), "", mark("own"), "", mark("allocations"), "line"], ...rows]),
  ].join("\n")}\n`;
}

/** The same as JSON. Sizes are bytes. Ends with a newline. */
export function summaryJson({ metadata, kind, bytes, allocations, jsBytes, pythonBytes, lines }: Summary): string {
  const data = {
    kind,
    bytes,
    allocations,
    ...(languageOf(metadata.runtime) === "Python" ? { python_bytes: pythonBytes } : { js_bytes: jsBytes }),
    lines: lines.map(({ function: name, file, line, ...held }) => ({
      function: name,
      file,
      line,
      total_bytes: held.totalBytes,
      own_bytes: held.bytes,
      allocations: held.allocations,
    })),
    metadata: {
      command_line: metadata.commandLine,
      pid: metadata.pid,
      peak_memory: metadata.peakMemory,
      total_allocations: metadata.totalAllocations,
      complete: metadata.complete,
    },
  };
  return `${JSON.stringify(data, undefined, 2)}\n`;
}
