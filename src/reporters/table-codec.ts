/** A table as bytes: a header and columns, packed as column-codec.ts tells. */
import { differences, packColumns, sums, unpackColumns } from "./column-codec.js";
import { frameColumns, readFrames } from "./frame-columns.js";
import type { TableData } from "./table-data.js";

const VERSION = 1;

interface Header extends Omit<TableData, "frames" | "rows"> {
  readonly version: number;
  readonly frames: number;
  readonly rows: number;
}

export function encodeTable({ frames, rows, ...rest }: TableData): Uint8Array {
  const header: Header = { version: VERSION, ...rest, frames: frames.function.length, rows: rows.frame.length };
  return packColumns(header, [
    ...frameColumns(frames),
    differences(rows.owner),
    rows.allocator,
    rows.thread,
    differences(rows.frame),
    rows.bytes,
    rows.allocations,
  ]);
}

/** @throws Error when the bytes are not what `encodeTable` writes. */
export function decodeTable(bytes: Uint8Array): TableData {
  const { header, next: column } = unpackColumns<Header>(bytes, VERSION);
  return {
    kind: header.kind,
    metadata: header.metadata,
    splitThreads: header.splitThreads,
    strings: header.strings,
    threads: header.threads,
    allocators: header.allocators,
    frames: readFrames(header.frames, column),
    rows: {
      owner: new Uint32Array(sums(column(header.rows))),
      allocator: new Uint8Array(column(header.rows)),
      thread: new Uint32Array(column(header.rows)),
      frame: new Uint32Array(sums(column(header.rows))),
      bytes: column(header.rows),
      allocations: column(header.rows),
    },
  };
}
