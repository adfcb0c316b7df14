/**
 * What `heapray attach` loads into a running process, and calls there: answers are JSON, and nothing is thrown into the
 * program.
 */
import type { AttachAnswer, AttachSettings } from "./attach-settings.js";
import { loadAgent } from "./binding.js";
import { FileDestination } from "./destinations.js";
import { FileFormat } from "./options.js";
import { packageFolder } from "./package-folder.js";
import { Tracker } from "./tracker.js";

let tracker: Tracker | undefined;
let current = "";
let timer: NodeJS.Timeout | undefined;

/** Starts to track this process. */
export function attach(settings: AttachSettings): string {
  return answer(() => {
    const { id, file, overwrite, aggregate, durationMs, ...options } = settings;
    if (tracker?.active) {
      if (id === current) return {};
    } else {
      // A full disk may have ended the one before.
      stop();
    }
    const fileFormat = aggregate ? FileFormat.AGGREGATED_ALLOCATIONS : FileFormat.ALL_ALLOCATIONS;
    // Who attached compresses the capture: here it would hold up the program.
    const destination = new FileDestination(file, { overwrite, compressOnExit: false });
    tracker = new Tracker({ ...options, destination, fileFormat });
    current = id;
    if (durationMs !== undefined) timer = setTimeout(stop, durationMs).unref();
    return {};
  });
}

/** Ends that. */
export function detach(): string {
  return answer(() => {
    const complete = stop();
    return complete === undefined ? { trackedOtherwise: loadAgent(packageFolder()).isActive() } : { complete };
  });
}

/** @returns whether the capture is complete; undefined where there is none */
function stop(): boolean | undefined {
  clearTimeout(timer);
  const stopped = tracker;
  tracker = undefined;
  return stopped?.stop();
}

function answer(work: () => AttachAnswer): string {
  try {
    return JSON.stringify(work());
  } catch (error) {
    const { code = "unknown", message } = error as { code?: string; message: string };
    return JSON.stringify({ error: { code, message: message.replace(/\.\.$/, ".") } });
  }
}
