import type { FileReader } from "../analysis/file-reader.js";
import type { AllocationRecord } from "../capture/records.js";
import { checkInputFile } from "./paths.js";
import { progressBar } from "./progress.js";
import { tell } from "./standard-error.js";

export interface OpenReader {
  readonly reader: FileReader;
  /** Takes the progress bar away, says what the stacks lack, and closes the capture. */
  done(): void;
}

export interface OpenCapture extends OpenReader {
  /** What was live at the peak, or with `leaks` at the end. */
  readonly records: Iterable<AllocationRecord>;
}

export interface OpenOptions {
  readonly leaks: boolean;
  /** Whether what several threads allocated at one place is one record. */
  readonly mergeThreads?: boolean;
}

/**
 * Opens a capture for a report, with a progress bar while it is read.
 * @throws {CliError} there is no such file
 * @throws {CaptureError} it is no capture, or a damaged one
 */
export async function openReader(file: string): Promise<OpenReader> {
  checkInputFile(file);
  // The reader is loaded here and not above, so that `heapray run` starts without it.
  const { FileReader } = await import("../analysis/file-reader.js");
  const progress = progressBar("Reading");
  const reader = new FileReader(file, { onProgress: (done, total) => progress.update(done, total) });
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
 * Opens a capture for a report of live allocations.
 * @throws what openReader throws
 */
export async function openCapture(file: string, { leaks, mergeThreads = true }: OpenOptions): Promise<OpenCapture> {
  const { reader, done } = await openReader(file);
  return {
    reader,
    records: leaks
      ? reader.getLeakedAllocationRecords({ mergeThreads })
      : reader.getHighWatermarkAllocationRecords({ mergeThreads }),
    done,
  };
}
