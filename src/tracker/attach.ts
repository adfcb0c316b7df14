/**
 * What `heapray attach` loads into a running process, and calls there: answers are JSON, and nothing is thrown into the
 * program.
 */
import type { AttachAnswer, AttachSettings } from "./attach-settings.js";
import { FileDestination } from "./destinations.js";
import { FileFormat } from "./options.js";
import { Tracker } from "./tracker.js";

let tracker: Tracker | undefined;
let timer: NodeJS.Timeout | undefined;

/** Starts to track this process. */
export function attach(settings: AttachSettings): string {
  return answer(() => {
    const { file, overwrite, aggregate, durationMs, ...options } = settings;
    const fileFormat = aggregate ? FileFormat.AGGREGATED_ALLOCATIONS : FileFormat.ALL_ALLOCATIONS;
    // Who attached compresses the capture: here it would hold up the program.
    const destination = new FileDestination(file, { overwrite, compressOnExit: false });
    tracker = new Tracker({ ...options, destination, fileFormat });
    if (durationMs !== undefined) timer = setTimeout(stop, durationMs).unref();
    return {};
  });
}

/** Ends that. */
export function detach(): string {
  return answer(() => ({ complete: stop() }));
}

function stop(): boolean | undefined {
  clearTimeout(timer);
  const complete = tracker?.stop();
  tracker = undefined;
  return complete;
}

function answer(work: () => AttachAnswer | { complete: boolean | undefined }): string {
  try {
    return JSON.stringify(work());
  } catch (error) {
    const { code = "unknown", message } = error as { code?: string; message: string };
    return JSON.stringify({ error: { code, message } });
  }
}
