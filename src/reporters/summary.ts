import { answeringFrame } from "../analysis/answering-frame.js";
import { originOf } from "../analysis/frame-origin.js";
import type { AllocationRecord, Metadata } from "../capture/records.js";
import { AllocatorType } from "../capture/wire.js";
import { count, formatBytes, share } from "./figures.js";
import { placeOf, programLines } from "./program-lines.js";
import { table } from "./text-table.js";

export interface SummaryInput {
  /** Live allocations, merged by location or not; not over threads, whose names stand for what has no stack. */
  readonly records: Iterable<AllocationRecord>;
  readonly metadata: Metadata;
  readonly kind: "high-water-mark" | "leaks" | "temporary";
  /** How many lines to tell of. */
  readonly top: number;
}

const WHAT: Readonly<Record<SummaryInput["kind"], string>> = {
  "high-water-mark": "held at the peak",
  leaks: "still held at the end",
  temporary: "freed soon after they were made",
};

/** What one line of source holds. */
export interface SummaryLine {
  readonly function: string;
  /** Empty for threads without a stack. */
  readonly file: string;
  readonly line: number;
  readonly bytes: number;
  readonly allocations: number;
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
  /** The lines that hold most, in falling order. */
  readonly lines: readonly SummaryLine[];
}

/** Adds up live allocations by the line that answers for them (see answeringFrame). */
export function summarize({ records, metadata, kind, top }: SummaryInput): Summary {
  const lines = new Map<string, { -readonly [Key in keyof SummaryLine]: SummaryLine[Key] }>();
  let bytes = 0;
  let allocations = 0;
  let programBytes = 0;
  let jsBytes = 0;
  for (const record of records) {
    const frame = answeringFrame(record.stackTrace(), record);
    const isProgram = frame.file !== "" && originOf(frame) === "program";
    bytes += record.size;
    allocations += record.nAllocations;
    if (isProgram) programBytes += record.size;
    if (record.allocator === AllocatorType.JS_OBJECT) jsBytes += record.size;
    const key = `${frame.file}\0${frame.line}\0${frame.function}`;
    const line = lines.get(key);
    if (line) {
      line.bytes += record.size;
      line.allocations += record.nAllocations;
    } else {
      const { function: name, file, line: number } = frame;
      lines.set(key, { function: name, file, line: number, bytes: record.size, allocations: record.nAllocations });
    }
  }
  const sorted = [...lines.values()].sort((a, b) => b.bytes - a.bytes || (a.file < b.file ? -1 : 1));
  return { metadata, kind, bytes, allocations, programBytes, jsBytes, lines: sorted.slice(0, top) };
}

/**
 * The summary as text, one screen of it, ending with a newline.
 * @param cwd files below it are shown relative to it
 */
export function renderSummary(summary: Summary, cwd: string): string {
  const { metadata, kind, bytes, allocations, jsBytes, lines } = summary;
  const shown = lines.reduce((sum, line) => sum + line.bytes, 0);
  const what = WHAT[kind];
  const head = [
    ...programLines(metadata, cwd),
    `  ${formatBytes(metadata.peakMemory)} at the peak, ${count(metadata.totalAllocations)} allocations in all`,
  ];
  if (metadata.traceJsHeap !== false) {
    const sampled = metadata.traceJsHeap === 1 ? "" : `, sampled every ${formatBytes(metadata.traceJsHeap)}`;
    head.push(
      `  ${formatBytes(bytes - jsBytes)} native and ${formatBytes(jsBytes)} of JavaScript objects${sampled}, ${what}`,
    );
  }
  if (lines.length === 0) return `${[...head, "", `Nothing was ${what}.`].join("\n")}\n`;
  const rows = lines.map((line) => [
    formatBytes(line.bytes),
    `${share(line.bytes, bytes)}`,
    count(line.allocations),
    placeOf(line, cwd),
  ]);
  return `${[
    ...head,
    "",
    `${formatBytes(bytes)} in ${count(allocations)} allocations ${what}; ${share(shown, bytes)} of it on ` +
      `${lines.length === 1 ? "this line" : `these ${lines.length} lines`}:`,
    "",
    ...table([["bytes", "share", "allocations", "line"], ...rows]),
  ].join("\n")}\n`;
}
