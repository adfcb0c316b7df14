/** What two trackers recorded of the same Python program, in the same words. */
import { spawnSync } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { type AllocationRecord, AllocatorType, FileReader } from "../../../src/reader.js";

/** Allocations of one allocator, thread and stack; a stack is `function file:line`, from the allocating frame outwards. */
export interface Row {
  readonly allocator: string;
  readonly thread: string;
  readonly stack: readonly string[];
  readonly allocations: number;
  readonly bytes: number;
}

export interface Figures {
  readonly peakMemory: number;
  /** All that was allocated, freed or not. */
  readonly total: readonly Row[];
  readonly highWaterMark: readonly Row[];
  readonly leaked: readonly Row[];
  readonly temporary: readonly Row[];
}

/** memray has no name for the main thread. */
const MAIN_THREAD = "MainThread";
const folder = path.dirname(fileURLToPath(import.meta.url));

export function heaprayFigures(capture: string): Figures {
  using reader = new FileReader(capture);
  return {
    peakMemory: reader.metadata.peakMemory,
    total: [...reader.getTotalAllocationRecords({ mergeThreads: false })].map(row),
    highWaterMark: [...reader.getHighWatermarkAllocationRecords({ mergeThreads: false })].map(row),
    leaked: [...reader.getLeakedAllocationRecords({ mergeThreads: false })].map(row),
    temporary: [...reader.getTemporaryAllocationRecords({ mergeThreads: false, threshold: 1 })].map(row),
  };
}

function row(record: AllocationRecord): Row {
  return {
    allocator: AllocatorType[record.allocator] ?? `${record.allocator}`,
    thread: record.threadName === MAIN_THREAD ? "" : record.threadName,
    stack: record.stackTrace().map(({ function: name, file, line }) => `${name} ${file}:${line}`),
    allocations: record.nAllocations,
    bytes: record.size,
  };
}

type PythonRow = [allocator: string, thread: string, stack: [string, string, number][], count: number, bytes: number];

/** What memray's own reader says. */
export function memrayFigures(python: string, capture: string): Figures {
  const script = path.join(folder, "memray_figures.py");
  const { status, stdout, stderr } = spawnSync(python, [script, capture], { encoding: "utf8", maxBuffer: 2 ** 28 });
  if (status !== 0) throw new Error(`memray cannot read ${capture}: ${stderr}`);
  const { peakMemory, ...found } = JSON.parse(stdout);
  const rows = (list: PythonRow[]): Row[] =>
    list.map(([allocator, thread, stack, allocations, bytes]) => ({
      allocator,
      thread,
      stack: stack.map(([name, file, line]) => `${name} ${file}:${line}`),
      allocations,
      bytes,
    }));
  return {
    peakMemory,
    total: rows(found.total),
    highWaterMark: rows(found.highWaterMark),
    leaked: rows(found.leaked),
    temporary: rows(found.temporary),
  };
}
