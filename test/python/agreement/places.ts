/** Where a program allocated, in a form in which two trackers' figures can be held against each other. */
import type { Figures, Row } from "./figures.js";

export interface Sum {
  readonly allocations: number;
  readonly bytes: number;
}

/**
 * What a program's file allocated, itself or in what it called. What is outside of it is the trackers' own: they begin
 * and end in different places. So is what threads' and modules' bookkeeping needs once, whoever comes first.
 */
export function ofProgram(rows: readonly Row[], program: string): Row[] {
  return rows.flatMap((row) => {
    const outermost = row.stack.findLastIndex((frame) => frame.includes(` ${program}:`));
    const innermost = row.stack[0] ?? "";
    if (outermost < 0 || BOOKKEEPING.test(innermost)) return [];
    return [{ ...row, stack: row.stack.slice(0, outermost + 1) }];
  });
}

const BOOKKEEPING = / (<frozen importlib|.*\/threading\.py:|.*\/site-packages\/)/;

/** By thread and stack, and with `allocators` by allocator too: memray tells only one of each stack's in merged records. */
export function byPlace(rows: readonly Row[], allocators: boolean): Record<string, Sum> {
  return sums(rows, ({ allocator, thread, stack }) =>
    [...(allocators ? [allocator] : []), thread, ...stack].join("\n"),
  );
}

export function byAllocator(rows: readonly Row[]): Record<string, Sum> {
  return sums(rows, ({ allocator }) => allocator);
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
 * Without the object of the program's own first frame, which heapray finds on the line that begins its function, and
 * memray on the line that called it, outside of the program.
 */
export function withoutOwnFrame(rows: readonly Row[], firstLine: number): Row[] {
  return rows.filter(({ stack }) => stack.length > 1 || !stack[0]?.endsWith(`:${firstLine}`));
}

/**
 * heapray's figures with memray's lines where memray has none: in CPython 3.9 it finds no line of code that has only one
 * (a lambda, a comprehension).
 */
export function withLinesOf(memray: Figures, heapray: Figures): Figures {
  const unknown = new Set(
    memray.total
      .flatMap(({ stack }) => stack.filter((frame) => frame.endsWith(":0")))
      .map((frame) => frame.slice(0, -2)),
  );
  const rows = (list: readonly Row[]) => list.map((row) => ({ ...row, stack: row.stack.map(withLine) }));
  const withLine = (frame: string) => {
    const place = frame.replace(/:\d+$/, "");
    return unknown.has(place) ? `${place}:0` : frame;
  };
  const { total, highWaterMark, leaked, temporary } = heapray;
  return {
    peakMemory: heapray.peakMemory,
    total: rows(total),
    highWaterMark: rows(highWaterMark),
    leaked: rows(leaked),
    temporary: rows(temporary),
  };
}
