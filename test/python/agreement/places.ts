/** Where a program allocated, in a form in which two trackers' figures can be held against each other. */
import type { Figures, Row } from "./figures.js";

export interface Sum {
  readonly allocations: number;
  readonly bytes: number;
}

/**
 * What a program's file allocated, itself or in what it called, with the stack from there on. What is outside of it is the
 * trackers' own: they begin and end in different places.
 */
export function ofProgram(rows: readonly Row[], program: string): Row[] {
  return rows.flatMap((row) => {
    const outermost = row.stack.findLastIndex((frame) => frame.includes(` ${program}:`));
    return outermost < 0 ? [] : [{ ...row, stack: row.stack.slice(0, outermost + 1) }];
  });
}

/** Without what the bookkeeping of threads and modules allocates: that depends on what was there before. */
export function withoutBookkeeping(rows: readonly Row[]): Row[] {
  return rows.filter(({ stack }) => stack.length > 0 && !BOOKKEEPING.test(stack[0] ?? ""));
}

const BOOKKEEPING = / (<frozen importlib|.*\/threading\.py:|.*\/site-packages\/)/;

/**
 * Has the objects that CPython makes of frames for a profile function allocated where memray has them. When a function
 * begins, its frame is there already: heapray finds the object made by the line that begins it, memray, which learns of the
 * function only then, by the line that called it.
 * @param profiled heapray's, with a profile function
 * @param plain heapray's without: no object is made of a frame, and only of lines that are in both is it known what they do
 */
export function framesByCallers(profiled: readonly Row[], plain: readonly Row[]): Row[] {
  const known = new Set(plain.map(placeOf));
  return profiled.map((row) => (known.has(placeOf(row)) ? row : { ...row, stack: row.stack.slice(1) }));
}

/**
 * Without the object of the program's own first frame, which heapray finds on the line that begins its function, and
 * memray on the line that called it, outside of the program.
 */
export function withoutOwnFrame(rows: readonly Row[], firstLine: number): Row[] {
  return rows.filter(({ stack }) => stack.length > 1 || !stack[0]?.endsWith(`:${firstLine}`));
}

/** By thread and stack, and with `allocators` by allocator too: memray tells only one of each stack's in merged records. */
export function byPlace(rows: readonly Row[], allocators: boolean): Record<string, Sum> {
  return sums(rows, (row) => (allocators ? `${row.allocator}\n${placeOf(row)}` : placeOf(row)));
}

export function byAllocator(rows: readonly Row[]): Record<string, Sum> {
  return sums(rows, ({ allocator }) => allocator);
}

function placeOf({ thread, stack }: Row): string {
  return [thread, ...stack].join("\n");
}

function sums(rows: readonly Row[], key: (row: Row) => string): Record<string, Sum> {
  const found: Record<string, Sum> = {};
  for (const row of rows) {
    const { allocations, bytes } = found[key(row)] ?? { allocations: 0, bytes: 0 };
    found[key(row)] = { allocations: allocations + row.allocations, bytes: bytes + row.bytes };
  }
  return found;
}

/**
 * Figures without lines where memray has none: in CPython 3.9 it finds no line of code that has only one (a
 * lambda, a comprehension).
 */
export function withLinesOf(memray: Figures, of: Figures): Figures {
  const unknown = new Set(
    memray.total
      .flatMap(({ stack }) => stack.filter((frame) => frame.endsWith(":0")))
      .map((frame) => frame.slice(0, -2)),
  );
  const withLine = (frame: string) => {
    const place = frame.replace(/:\d+$/, "");
    return unknown.has(place) ? `${place}:0` : frame;
  };
  const rows = (list: readonly Row[]) => list.map((row) => ({ ...row, stack: row.stack.map(withLine) }));
  const { total, highWaterMark, leaked, temporary } = of;
  return {
    peakMemory: of.peakMemory,
    total: rows(total),
    highWaterMark: rows(highWaterMark),
    leaked: rows(leaked),
    temporary: rows(temporary),
  };
}
