import type { TableData } from "../../../src/reporters/table-data.js";
import type { Rows } from "./group.js";

const HEADER = "thread,size,allocator,allocations,function,file,line,column,source";
const ROWS_A_PIECE = 10_000;

/**
 * Rows as CSV (RFC 4180), in pieces of text: sizes are bytes, names and paths as the report has them. Of rows that stand
 * for several threads, the thread is `merged thread`, as memray has it.
 */
export function* csvOf(data: TableData, rows: Rows, shown: Iterable<number>): Generator<string, void, undefined> {
  const { strings, frames, threads, allocators } = data;
  let piece = `${HEADER}\r\n`;
  let count = 0;
  for (const row of shown) {
    const frame = rows.frame[row] as number;
    const text = (column: Uint32Array): string => quote(strings[column[frame] as number] ?? "");
    const thread = rows.threadCount[row] === 1 ? threads[rows.thread[row] as number] : "merged thread";
    const fields = [
      quote(thread ?? ""),
      rows.bytes[row],
      allocators[rows.allocator[row] as number],
      rows.allocations[row],
      text(frames.function),
      text(frames.file),
      frames.line[frame],
      frames.column[frame],
      text(frames.source),
    ];
    piece += `${fields.join(",")}\r\n`;
    if (++count % ROWS_A_PIECE === 0) {
      yield piece;
      piece = "";
    }
  }
  if (piece !== "") yield piece;
}

function quote(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
