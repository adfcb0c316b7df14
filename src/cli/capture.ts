import type { ReaderOptions, RecordsKind } from "../analysis/capture-reader.js";
import type { FileReader } from "../analysis/file-reader.js";
import type { AllocationRecord } from "../capture/records.js";
import { type KindOptions, kindOf } from "./kind.js";
import { checkInputFile } from "./paths.js";
import { progressBar } from "./progress.js";
import { tell } from "./standard-error.js";

export interface OpenReader {
  readonly reader: FileReader;
  /** Takes the progress bar away, says what the stacks lack, and closes the capture. */
  done(): void;
}

export interface OpenCapture extends OpenReader {
  /** What the options ask for: what was live at the peak or at the end, or temporary allocations. */
  readonly records: Iterable<AllocationRecord>;
  readonly kind: RecordsKind;
  /** All allocations, freed or not, where the options and the capture have them. */
  readonly allocated?: Iterable<AllocationRecord>;
}

export interface OpenOptions extends KindOptions {
  /** Whether what several threads allocated at one place is one record. */
  readonly mergeThreads?: boolean;
  /** Whether to read all allocations too, which an aggregated capture does not have. */
  readonly withAllocated?: boolean;
  /** Most memory snapshots that the report shows. */
  readonly maxMemoryRecords?: number;
}

/** What a reader keeps unless told. */
const USUAL_SNAPSHOTS = 10_000;

/**
 * Opens a capture for a report, with a progress bar while it is read.
 * @throws {CliError} there is no such file
 * @throws {CaptureError} it is no capture, or a damaged one
 */
export async function openReader(
  file: string,
  options: Pick<ReaderOptions, "maxMemorySnapshots"> = {},
): Promise<OpenReader> {
  checkInputFile(file);
  // The reader is loaded here and not above, so that `heapray run` starts without it.
  const { FileReader } = await import("../analysis/file-reader.js");
  const progress = progressBar("Reading");
  const reader = new FileReader(file, { ...options, onProgress: (done, total) => progress.update(done, total) });
  return {
    reader,
    done() {
      progress.stop();
      for (const warning of reader.warnings) tell(`heapray: ${warning}\n`);
      reader.close();
    },
  };
}

/**
 * How many snapshots to read for a page that shows at most so many. It thins them without losing a peak, so it needs no
 * fewer than the reader reads anyway.
 */
export function snapshotsFor(maxMemoryRecords: number | undefined): Pick<ReaderOptions, "maxMemorySnapshots"> {
  return maxMemoryRecords === undefined ? {} : { maxMemorySnapshots: Math.max(maxMemoryRecords, USUAL_SNAPSHOTS) };
}

/**
 * Opens a capture for a report of some of its allocations.
 * @throws {CaptureError} also where an aggregated capture does not have them
 */
export async function openCapture(file: string, options: OpenOptions): Promise<OpenCapture> {
  const { mergeThreads = true, withAllocated = false, maxMemoryRecords } = options;
  const { reader, done } = await openReader(file, snapshotsFor(maxMemoryRecords));
  const { kind, threshold } = kindOf(options);
  const recordsOf = {
    "high-water-mark": () => reader.getHighWatermarkAllocationRecords({ mergeThreads }),
    leaks: () => reader.getLeakedAllocationRecords({ mergeThreads }),
    temporary: () => reader.getTemporaryAllocationRecords({ mergeThreads, threshold }),
  };
  try {
    const aggregated = reader.metadata.fileFormat === "AGGREGATED_ALLOCATIONS";
    // Before the others, which are in the same pass then.
    const allocated = withAllocated && !aggregated ? reader.getTotalAllocationRecords({ mergeThreads }) : undefined;
    return { reader, records: recordsOf[kind](), kind, ...(allocated && { allocated }), done };
  } catch (error) {
    done();
    throw error;
  }
}
