import path from "node:path";
import type { AllocationRecord, Frame, Metadata } from "../capture/records.js";
import { AllocatorType } from "../capture/wire.js";
import { categoryOf } from "./flamegraph-category.js";
import { Category } from "./flamegraph-data.js";

export interface SummaryInput {
  /** Live allocations, merged by location or not; not over threads, whose names stand for what has no stack. */
  readonly records: Iterable<AllocationRecord>;
  readonly metadata: Metadata;
  readonly kind: "high-water-mark" | "leaks";
  /** How many lines to tell of. */
  readonly top: number;
}

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

/**
 * Adds up live allocations by the line that answers for them: the innermost frame of the program itself, or where a
 * stack has none, of one of its packages, or of the runtime. Native code answers only for what has no JavaScript at all.
 */
export function summarize({ records, metadata, kind, top }: SummaryInput): Summary {
  const lines = new Map<string, { -readonly [Key in keyof SummaryLine]: SummaryLine[Key] }>();
  let bytes = 0;
  let allocations = 0;
  let programBytes = 0;
  let jsBytes = 0;
  for (const record of records) {
    const frame = answeringFrame(record);
    const isProgram = frame.file !== "" && categoryOf(frame) === Category.PROGRAM;
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

/** Native functions that say no more than "allocates": operators, containers, and Rust's parts of an allocation. */
const ALLOCATES_FOR_OTHERS = /^(?:operator new|<inlined>|(?:std|__gnu_cxx|alloc|core)::|__r(?:ust|dl|g)_)/;

/** The frame that answers for an allocation; never undefined, since a thread stands for what has no stack. */
export function answeringFrame(record: AllocationRecord): Frame {
  const frames = record.stackTrace();
  const innermost = (category: Category) => frames.find((frame) => categoryOf(frame) === category);
  return (
    innermost(Category.PROGRAM) ??
    innermost(Category.DEPENDENCY) ??
    innermost(Category.INTERNAL) ??
    innermost(Category.BUILTIN) ??
    frames.find((frame) => !ALLOCATES_FOR_OTHERS.test(frame.function)) ??
    frames[0] ?? { function: `thread ${record.threadName || record.tid}, no JavaScript`, file: "", line: 0, column: 0 }
  );
}

/**
 * The summary as text, one screen of it, ending with a newline.
 * @param cwd files below it are shown relative to it
 */
export function renderSummary(summary: Summary, cwd: string): string {
  const { metadata, kind, bytes, allocations, jsBytes, lines } = summary;
  const seconds = (metadata.endTimeMs - metadata.startTimeMs) / 1000;
  const { name, version } = metadata.runtime;
  const shown = lines.reduce((sum, line) => sum + line.bytes, 0);
  const what = kind === "leaks" ? "still held at the end" : "held at the peak";
  const head = [
    metadata.commandLine.map((argument) => relativeFile(argument, cwd)).join(" "),
    `  ${name} ${version}, pid ${metadata.pid}, ${seconds.toFixed(1)} s${metadata.complete ? "" : " (cut short: the program still ran, was killed, or the disk was full)"}`,
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
    line.file === "" ? line.function : `${placeOf(line, cwd)}  ${line.function}`,
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

/** Columns aligned: numbers to the right, the last one to the left. */
function table(rows: readonly string[][]): string[] {
  const last = (rows[0]?.length ?? 0) - 1;
  const widths = Array.from({ length: last }, (_, i) => Math.max(...rows.map((row) => (row[i] ?? "").length)));
  return rows.map((row) => `  ${row.map((cell, i) => (i === last ? cell : cell.padStart(widths[i] ?? 0))).join("  ")}`);
}

/** A module has no lines. */
function placeOf({ file, line }: SummaryLine, cwd: string): string {
  return line === 0 ? relativeFile(file, cwd) : `${relativeFile(file, cwd)}:${line}`;
}

function relativeFile(file: string, cwd: string): string {
  const relative = path.isAbsolute(file) ? path.relative(cwd, file) : file;
  return relative === "" || relative.startsWith("..") ? file : relative;
}

function share(part: number, whole: number): string {
  return whole === 0 ? "0.0%" : `${((100 * part) / whole).toFixed(1)}%`;
}

function count(value: number): string {
  return value.toLocaleString("en-US");
}

/** `1.5 MiB` */
export function formatBytes(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  let value = bytes;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}
