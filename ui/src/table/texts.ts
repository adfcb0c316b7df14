import type { Category } from "../../../src/reporters/flamegraph-data.js";
import type { TableData } from "../../../src/reporters/table-data.js";
import { frameTexts } from "../describe.js";
import type { Rows } from "./group.js";

/** A row in words. All of them are safe to show: see `visible`. */
export interface RowTexts {
  readonly bytes: number;
  readonly allocations: number;
  readonly allocator: string;
  readonly thread: string;
  readonly function: string;
  readonly category: Category;
  /** `file:line` with a readable path; empty when the row has no file. */
  readonly location: string;
  /** The same with the column. */
  readonly place: string;
  readonly source: string;
}

export function rowTexts(data: TableData, rows: Rows, row: number): RowTexts {
  const frame = rows.frame[row] as number;
  const texts = frameTexts(data, frame);
  const threads = rows.threadCount[row] as number;
  return {
    bytes: rows.bytes[row] as number,
    allocations: rows.allocations[row] as number,
    allocator: data.allocators[rows.allocator[row] as number] ?? "",
    thread: threads > 1 ? `${threads} threads` : (data.threads[rows.thread[row] as number] ?? ""),
    function: texts.name,
    category: data.frames.category[frame] as Category,
    location: data.frames.column[frame] === 0 ? texts.place : texts.place.replace(/:\d+$/, ""),
    place: texts.place,
    source: texts.source,
  };
}
