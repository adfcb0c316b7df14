import type { CaptureHeader } from "../capture/records.js";
import { isMainThread } from "./main-thread.js";
import type { ResolvedSettings } from "./options.js";

/** The header of a capture that starts now. */
export function captureHeader(settings: ResolvedSettings, version: string): CaptureHeader {
  return {
    pid: process.pid,
    // On Linux the main thread's id is the process's.
    mainThreadId: isMainThread() ? process.pid : 0,
    commandLine: [...process.argv],
    cwd: workingDirectory(),
    runtime: { name: "node", version: process.version, engine: `v8 ${process.versions.v8}` },
    arch: process.arch,
    platform: process.platform,
    startTimeMs: Date.now(),
    heaprayVersion: version,
    options: {
      fileFormat: settings.fileFormat,
      nativeTraces: settings.nativeTraces,
      embedSymbols: settings.embedSymbols,
      memoryIntervalMs: settings.memoryIntervalMs,
      traceJsHeap: settings.traceJsHeap,
      buffered: "buffered" in settings.destination && settings.destination.buffered,
      followFork: settings.followFork,
    },
  };
}

/** Empty where the program has removed it. */
function workingDirectory(): string {
  try {
    return process.cwd();
  } catch {
    return "";
  }
}
