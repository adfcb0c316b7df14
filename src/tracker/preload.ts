/**
 * Loaded by `heapray run` before the program: starts the tracker that the environment variable HEAPRAY_RUN describes.
 * Whatever fails here, the program goes on untracked.
 */
import { writeSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { isMainThread } from "node:worker_threads";
import { agentFile, loadAgent } from "./binding.js";
import { FileDestination } from "./destinations.js";
import { FileFormat } from "./options.js";
import { packageFolder } from "./package-folder.js";
import { Tracker } from "./tracker.js";

interface RunSettings {
  /** Absolute path of the capture; `{pid}` stands for the process id. */
  readonly file: string;
  readonly overwrite: boolean;
  readonly buffered: boolean;
  readonly nativeTraces: boolean;
  readonly memoryIntervalMs: number;
  readonly aggregate: boolean;
  /** The process id of `heapray run`. */
  readonly parent: number;
}

const PRELOAD = path.join(packageFolder(), "preload.cjs");

/** Takes heapray out of what the program can see of its own start, and would hand on to what it forks. */
function hide(): void {
  const { execArgv } = process;
  const at = execArgv.indexOf(PRELOAD);
  if (at > 0) execArgv.splice(at - 1, 2);
  const { cache } = createRequire(PRELOAD);
  for (const file of [PRELOAD, agentFile(packageFolder())]) {
    const loaded = cache[file];
    delete cache[file];
    const siblings = loaded?.parent?.children ?? [];
    const place = loaded === undefined ? -1 : siblings.indexOf(loaded);
    if (place >= 0) siblings.splice(place, 1);
  }
}

function tell(sentence: string): void {
  try {
    writeSync(2, sentence);
  } catch {
    // Nobody can be told: standard error is closed, or full.
  }
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
    loadAgent(packageFolder()).endWithParent({ parent: settings.parent });
    const { overwrite, buffered, nativeTraces, memoryIntervalMs } = settings;
    const fileFormat = settings.aggregate ? FileFormat.AGGREGATED_ALLOCATIONS : FileFormat.ALL_ALLOCATIONS;
    const file = settings.file.replaceAll("{pid}", String(process.pid));
    const destination = new FileDestination(file, { overwrite, buffered });
    new Tracker({ destination, nativeTraces, memoryIntervalMs, fileFormat });
  } catch (error) {
    tell(`heapray: the program runs untracked: ${(error as Error).message}\n`);
  }
}

try {
  preload();
} finally {
  hide();
}
