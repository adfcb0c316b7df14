import { ByteWriter, type ColumnSource, ParquetWriter } from "hyparquet-writer";
import { answeringFrame } from "../analysis/answering-frame.js";
import type { AllocationRecord, MemorySnapshot, Metadata } from "../capture/records.js";
import { AllocatorType } from "../capture/wire.js";

type SchemaElement = ConstructorParameters<typeof ParquetWriter>[0]["schema"][number];

/** Rows, and frames in them, that are written together: what is in memory at once. */
const ROWS_PER_GROUP = 16_384;
const FRAMES_PER_GROUP = 262_144;

const text = (name: string): SchemaElement => ({
  name,
  type: "BYTE_ARRAY",
  converted_type: "UTF8",
  repetition_type: "OPTIONAL",
});
const int64 = (name: string): SchemaElement => ({ name, type: "INT64", repetition_type: "REQUIRED" });
const int32 = (name: string): SchemaElement => ({ name, type: "INT32", repetition_type: "OPTIONAL" });
const group = (name: string, repetition_type: "REQUIRED" | "REPEATED", num_children: number): SchemaElement => ({
  name,
  repetition_type,
  num_children,
});

const FRAME_COLUMNS = [text("function"), text("file"), int32("line"), int32("col")];

/** By column: what it consists of. */
const ALLOCATION_COLUMNS: Readonly<Record<string, readonly SchemaElement[]>> = {
  allocator: [text("allocator")],
  num_allocations: [int64("num_allocations")],
  size: [int64("size")],
  tid: [int64("tid")],
  thread_name: [text("thread_name")],
  function: [text("function")],
  file: [text("file")],
  line: [int32("line")],
  stack: [
    { ...group("stack", "REQUIRED", 1), converted_type: "LIST" },
    group("list", "REPEATED", 1),
    group("element", "REQUIRED", FRAME_COLUMNS.length),
    ...FRAME_COLUMNS,
  ],
};

const SNAPSHOT_COLUMNS: Readonly<Record<string, readonly SchemaElement[]>> = {
  time: [{ ...int64("time"), converted_type: "TIMESTAMP_MILLIS" }],
  time_ms: [int64("time_ms")],
  rss: [int64("rss")],
  heap_used: [int64("heap_used")],
  heap_committed: [int64("heap_committed")],
  external: [int64("external")],
  tracked: [int64("tracked")],
};

/** What is not known is null. */
const known = <Value>(value: Value): Value | null => value || null;

/**
 * Writes records as a Parquet table, a row each: memray's columns of the CSV, the function, file and line that answer for
 * the allocation, as in the summary, and the stack as a list of frames, innermost first. Records not merged over threads.
 */
export function writeAllocationsParquet(
  records: Iterable<AllocationRecord>,
  metadata: Metadata,
  write: (chunk: Uint8Array) => void,
): void {
  const table = new Table(ALLOCATION_COLUMNS, metadata, write);
  let framesInGroup = 0;
  for (const record of records) {
    const frames = record.stackTrace();
    const answering = answeringFrame(frames, record);
    const stack = frames.map(({ function: name, file, line, column }) => ({
      function: name,
      file: known(file),
      line: known(line),
      col: known(column),
    }));
    table.add([
      AllocatorType[record.allocator] ?? String(record.allocator),
      BigInt(record.nAllocations),
      BigInt(record.size),
      BigInt(record.tid),
      known(record.threadName),
      answering.function,
      known(answering.file),
      known(answering.line),
      stack,
    ]);
    framesInGroup += stack.length;
    if (framesInGroup >= FRAMES_PER_GROUP) {
      table.endGroup();
      framesInGroup = 0;
    }
  }
  table.finish();
}

/** Writes the process's memory over time as a Parquet table, a row per snapshot; times in UTC, sizes in bytes. */
export function writeSnapshotsParquet(
  snapshots: Iterable<MemorySnapshot>,
  metadata: Metadata,
  write: (chunk: Uint8Array) => void,
): void {
  const table = new Table(SNAPSHOT_COLUMNS, metadata, write);
  for (const { timeMs, rss, heapUsed, heapCommitted, external, tracked } of snapshots) {
    const time = BigInt(Math.round(metadata.startTimeMs)) + BigInt(timeMs);
    table.add([time, ...[timeMs, rss, heapUsed, heapCommitted, external, tracked].map(BigInt)]);
  }
  table.finish();
}

/** A Parquet file that is written group by group of rows. */
class Table {
  readonly #names: readonly string[];
  readonly #bytes = new ByteWriter();
  readonly #writer: ParquetWriter;
  readonly #write: (chunk: Uint8Array) => void;
  /** The rows of the group, by column. */
  #columns: unknown[][];

  constructor(
    columns: Readonly<Record<string, readonly SchemaElement[]>>,
    metadata: Metadata,
    write: (chunk: Uint8Array) => void,
  ) {
    this.#names = Object.keys(columns);
    this.#columns = this.#names.map(() => []);
    this.#write = write;
    this.#writer = new ParquetWriter({
      writer: this.#bytes,
      schema: [{ name: "root", num_children: this.#names.length }, ...Object.values(columns).flat()],
      createdBy: `heapray ${metadata.heaprayVersion}`,
      kvMetadata: [{ key: "command_line", value: metadata.commandLine.join(" ") }],
    });
  }

  add(row: readonly unknown[]): void {
    row.forEach((value, i) => {
      this.#columns[i]?.push(value);
    });
    if (this.#columns[0]?.length === ROWS_PER_GROUP) this.endGroup();
  }

  endGroup(): void {
    const columnData: ColumnSource[] = this.#names.map((name, i) => ({ name, data: this.#columns[i] ?? [] }));
    this.#writer.write({ columnData, rowGroupSize: ROWS_PER_GROUP });
    this.#columns = this.#names.map(() => []);
    this.#flush();
  }

  finish(): void {
    this.endGroup();
    this.#writer.finish();
    this.#flush();
  }

  #flush(): void {
    const bytes = this.#bytes.getBytes();
    // The writer goes on in the same memory.
    if (bytes.length > 0) this.#write(bytes.slice());
    this.#bytes.index = 0;
  }
}
