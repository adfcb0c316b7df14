/**
 * Loaded by `heapray run` before the program: starts the tracker that the environment variable HEAPRAY_RUN describes.
 * Whatever fails here, the program goes on untracked.
 */
import { isMainThread } from "node:worker_threads";
import { FileDestination } from "./destinations.js";
import { FileFormat } from "./options.js";
import { Tracker } from "./tracker.js";

interface RunSettings {
  /** Absolute path of the capture; `{pid}` stands for the process id. */
  readonly file: string;
  readonly overwrite: boolean;
  readonly buffered: boolean;
  readonly nativeTraces: boolean;
  readonly memoryIntervalMs: number;
  readonly aggregate: boolean;
}

function preload(): void {
  // Node.js loads this into worker threads too; the agent finds those by itself.
  if (!isMainThread) return;
  const text = process.env.HEAPRAY_RUN;
  // What the program starts in turn is not tracked, unless asked for.
  delete process.env.HEAPRAY_RUN;
  if (text === undefined) return;
  try {
    const settings = JSON.parse(text) as RunSettings;
    const { overwrite, buffered, nativeTraces, memoryIntervalMs } = settings;
    const fileFormat = settings.aggregate ? FileFormat.AGGREGATED_ALLOCATIONS : FileFormat.ALL_ALLOCATIONS;
    const file = settings.file.replaceAll("{pid}", String(process.pid));
    // heapray compresses the capture when the program has ended.
    const destination = new FileDestination(file, { overwrite, buffered, compressOnExit: false });
    new Tracker({ destination, nativeTraces, memoryIntervalMs, fileFormat });
  } catch (error) {
    process.stderr.write(`heapray: the program runs untracked: ${(error as Error).message}\n`);
  }
}

preload();
