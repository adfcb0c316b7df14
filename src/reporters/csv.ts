import type { AllocationRecord } from "../capture/records.js";
import { AllocatorType } from "../capture/wire.js";

const HEADER = ["allocator", "num_allocations", "size", "tid", "thread_name", "stack_trace"];
const CHUNK_CHARACTERS = 64 * 1024;

/**
 * Writes records as memray's CSV: one row a record, sizes in bytes, a stack as `function;file;line` frames joined by
 * `|`, innermost first. Rows end with CR LF, as RFC 4180 and memray have it.
 */
export function writeCsv(records: Iterable<AllocationRecord>, write: (chunk: string) => void): void {
  let chunk = row(HEADER);
  for (const record of records) {
    chunk += row([
      AllocatorType[record.allocator] ?? String(record.allocator),
      String(record.nAllocations),
      String(record.size),
      String(record.tid),
      threadLabel(record),
      record
        .stackTrace()
        .map((frame) => `${frame.function};${frame.file};${frame.line}`)
        .join("|"),
    ]);
    if (chunk.length >= CHUNK_CHARACTERS) {
      write(chunk);
      chunk = "";
    }
  }
  if (chunk !== "") write(chunk);
}

/** memray's label: the thread's id in hexadecimal and its name. Merged records (tid 0) have only a name. */
function threadLabel({ tid, threadName }: AllocationRecord): string {
  if (tid === 0) return threadName;
  return threadName === "" ? `0x${tid.toString(16)}` : `0x${tid.toString(16)} (${threadName})`;
}

function row(fields: readonly string[]): string {
  return `${fields.map(quote).join(",")}\r\n`;
}

function quote(field: string): string {
  return /[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}
