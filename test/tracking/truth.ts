import { readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { FileReader } from "../../src/analysis/file-reader.js";
import { CaptureDecoder } from "../../src/capture/decoder.js";
import { EventBatch } from "../../src/capture/event-batch.js";
import { CaptureFile, FileByteSource } from "../../src/capture/file-byte-source.js";
import type { Frame } from "../../src/capture/records.js";
import { AllocatorType } from "../../src/capture/wire.js";

// Truth programs say themselves what they allocate where:
//
//   function leaf(size) {
//     return Buffer./*@leaf*/allocUnsafeSlow(size);     a place: what stands behind the marker, in a function `leaf`
//   }
//   /*@start <module>*/leaf(5003);                      a place in a function of another name than its own
//   //> 5003 x2 = leaf start                            2 allocations of 5003 bytes, with these callers, innermost first
//   //> 5009 = leaf recurse*200 start                   as many allocations as it was told to make; 200 times the same frame
//   //> 5011 x2.5N = leaf start                         two and a half times as many
//   //> MMAP 4096 = leaf start                          by this allocator; others' allocations of that size do not count
//   //> 5021 = [f name.js:1:2] start                    a frame of code that the program makes
//   //> 5023 = [f @start:1:2] start                     a frame of code that it evaluates at a place

/** A size that a program allocates, how often, and with which of its own frames. */
export interface Truth {
  /** The allocator's name; any one unless told. */
  readonly allocator?: string | undefined;
  readonly size: number;
  readonly count: number;
  /** `function file:line:column`, innermost first, joined by `<`. */
  readonly stack: string;
}

const programs = path.join(path.dirname(fileURLToPath(import.meta.url)), "programs");

/** The path of a truth program. */
export function program(name: string): string {
  return path.join(programs, name);
}

/**
 * What a program that consists of these files says of itself.
 * @param rounds how often it was told to do everything
 * @throws {Error} an expectation names no place
 */
export function truthsOf(files: readonly string[], rounds = 1): Truth[] {
  const texts = files.map(textOf);
  const places = placesOf(files);
  const truths: Truth[] = [];
  for (const { file, text } of texts) {
    for (const [line, allocator, size, count, unit, chain = ""] of text.matchAll(
      /(?:^|\s)\/\/> (?:([A-Z_]+) )?(\d+)(?: x([\d.]+)(N?))? = (.*?)\r?$/gmu,
    )) {
      const frames = (chain.match(/\[.+?:\d+:\d+\]|\S+/gu) ?? []).flatMap((item) => {
        if (item.startsWith("[")) return item.slice(1, -1).replace(/@(\S+?)(?=:)/u, (_, id) => evalAt(places.get(id)));
        const [id = "", times = "1"] = item.split("*");
        const place = places.get(id);
        if (place === undefined) throw new Error(`${file} has no place ${id}: ${line}`);
        return Array<string>(Number(times)).fill(place);
      });
      truths.push({
        allocator,
        size: Number(size),
        count: count === undefined ? rounds : Number(count) * (unit === "N" ? rounds : 1),
        stack: joined(frames),
      });
    }
  }
  if (truths.length === 0) throw new Error(`${files.join(", ")} expect nothing.`);
  return truths;
}

/** The frames of a program's places, by their names. */
export function placesOf(files: readonly string[]): Map<string, string> {
  const places = new Map<string, string>();
  for (const { file, text } of files.map(textOf)) {
    for (const { index, 0: marker, 1: id = "", 2: name } of text.matchAll(/\/\*@(\S+?)(?: ([^*]+))?\*\/\s*/gu)) {
      if (places.has(id)) throw new Error(`${file} has two places ${id}.`);
      places.set(id, `${name ?? id} ${shown(file)}:${positionAt(text, index + marker.length)}`);
    }
  }
  return places;
}

function textOf(file: string): { file: string; text: string } {
  return { file, text: readFileSync(file, "utf8").replace(/^\ufeff/u, "") };
}

/** What V8 calls code that was evaluated at a place. */
function evalAt(place = ""): string {
  const [name, position] = place.split(/ (?=\S+$)/u);
  return `eval at ${name === "<module>" ? "<anonymous>" : name} (${position})`;
}

/** `line:column` of an index, 1-based, in UTF-16 units. */
function positionAt(text: string, index: number): string {
  const lines = text.slice(0, index).split(/\r\n|\n|\r|\u2028|\u2029/u);
  return `${lines.length}:${(lines.at(-1) ?? "").length + 1}`;
}

/** A file's name without what the machine adds; everything else stays as it is. */
function shown(file: string): string {
  if (path.isAbsolute(file)) return path.basename(file);
  return file.replace(/^(eval at .*)\(\/.*\//u, "$1(");
}

/** What a capture says of the sizes that a program tells of: `count x stack` by size. */
export function found(capture: string, truths: readonly Truth[]): Record<number, string[]> {
  const sizes = new Set(truths.map(({ size }) => size));
  const told = new Set(truths.flatMap(({ allocator, size }) => (allocator === undefined ? [] : [size])));
  const counts = new Map<string, number>();
  const stacks = new Map<number, string>();
  using reader = new FileReader(capture);
  for (const record of reader.getAllocationRecords()) {
    if (!sizes.has(record.size) || isRelease(record.allocator)) continue;
    let stack = stacks.get(record.stackId);
    if (stack === undefined) {
      stack = ownStack(record.stackTrace());
      stacks.set(record.stackId, stack);
    }
    if (told.has(record.size) && stack === "") continue;
    const allocator = told.has(record.size) ? AllocatorType[record.allocator] : "";
    const key = `${allocator}|${record.size}|${stack}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return bySize(
    [...counts].map(([key, count]) => {
      const [allocator = "", size = "", ...stack] = key.split("|");
      return { allocator: allocator || undefined, size: Number(size), count, stack: stack.join("|") };
    }),
  );
}

/** What a capture has to say of a program. */
export function expected(truths: readonly Truth[]): Record<number, string[]> {
  return bySize(truths);
}

function bySize(truths: readonly Truth[]): Record<number, string[]> {
  const lines: Record<number, string[]> = {};
  for (const { allocator, size, count, stack } of truths) {
    const line = `${allocator === undefined ? "" : `${allocator} `}${count} x ${stack}`;
    lines[size] = [...(lines[size] ?? []), line].sort();
  }
  return lines;
}

/** The program's own frames: those of files that do not belong to Node.js or to V8. */
export function ownStack(frames: readonly Frame[]): string {
  return joined(
    frames
      .filter(({ file }) => !file.startsWith("node:") && file !== "<builtin>")
      .map((frame) => `${frame.function} ${shown(frame.file)}:${frame.line}:${frame.column}`),
  );
}

/** Frames of a stack in one line; what repeats is counted. */
function joined(frames: readonly string[]): string {
  const runs: { frame: string; times: number }[] = [];
  for (const frame of frames) {
    const last = runs.at(-1);
    if (last?.frame === frame) last.times++;
    else runs.push({ frame, times: 1 });
  }
  return runs.map(({ frame, times }) => (times === 1 ? frame : `${frame} *${times}`)).join(" < ");
}

/** What V8 inlined into what, as far as the capture's stacks show: names, innermost first, joined by `<`. */
export function inlinedFunctions(capture: string): string[] {
  const { frameEnd, logicalFunction, functionName, strings } = decoded(capture).tables;
  const inlined: string[] = [];
  for (let frame = 1; frame < frameEnd.length; frame++) {
    const names: string[] = [];
    for (let i = frameEnd.at(frame - 1); i < frameEnd.at(frame); i++) {
      names.push(strings.get(functionName.at(logicalFunction.at(i))));
    }
    if (names.length > 1) inlined.push(names.join(" < "));
  }
  return inlined;
}

/** A capture that was read to its end. */
function decoded(capture: string): CaptureDecoder {
  const file = new CaptureFile(capture);
  try {
    const decoder = new CaptureDecoder(new FileByteSource(file));
    const batch = new EventBatch();
    while (decoder.next(batch));
    return decoder;
  } finally {
    file.close();
  }
}

/** Whether a record tells of memory that went away. */
export function isRelease(allocator: AllocatorType): boolean {
  return allocator === AllocatorType.FREE || allocator === AllocatorType.MUNMAP;
}

/** Why a capture ended, `signal <number>` where one ended it; undefined when it did not come to its end. */
export function trailerOf(capture: string): string | undefined {
  const { end } = decoded(capture);
  return end?.signal === undefined ? end?.reason : `${end.reason} ${end.signal}`;
}
