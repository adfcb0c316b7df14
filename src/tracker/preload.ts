/**
 * Starts the tracker that the environment variable HEAPRAY_RUN describes, before the program: for `heapray run`, and in
 * children that are followed. Whatever fails here, the program goes on untracked.
 */
import { writeSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { isMainThread } from "node:worker_threads";
import { agentFile, loadAgent } from "./binding.js";
import { SETTINGS_VARIABLE } from "./child-environment.js";
import { FileDestination } from "./destinations.js";
import { followChildren } from "./follow-children.js";
import { type FollowedSettings, settingsOfChild } from "./followed.js";
import { FileFormat, type TrackerSettings } from "./options.js";
import { packageFolder } from "./package-folder.js";
import { Tracker } from "./tracker.js";

/** What `heapray run` tells the process that it starts. */
interface RunSettings {
  /** Absolute path of the capture; `{pid}` stands for the process id. */
  readonly file: string;
  readonly overwrite: boolean;
  readonly buffered: boolean;
  readonly nativeTraces: boolean;
  readonly memoryIntervalMs: number;
  readonly aggregate: boolean;
  readonly followFork: boolean;
  /** The process id of `heapray run`, which the program is not to outlive. */
  readonly parent?: number;
}

const PRELOAD = path.join(packageFolder(), "preload.cjs");
const PROCESS = path.join(packageFolder(), "preload-process.cjs");

/** Takes heapray out of what the program can see of its own start, and would hand on to what it forks. */
function hide(): void {
  const { execArgv } = process;
  const at = execArgv.indexOf(PRELOAD);
  if (at > 0) execArgv.splice(at - 1, 2);
  const { cache } = createRequire(PRELOAD);
  for (const file of [PRELOAD, PROCESS, agentFile(packageFolder())]) {
    const loaded = cache[file];
    delete cache[file];
    const siblings = loaded?.parent?.children ?? [];
    const place = loaded === undefined ? -1 : siblings.indexOf(loaded);
    if (place >= 0) siblings.splice(place, 1);
  }
}

function tell(sentence: string): void {
  try {
    // Not process.stderr: whoever reads it may be gone, and its error would end the program.
    writeSync(2, sentence);
  } catch {
    // Nobody can be told: standard error is closed, or full.
  }
}

function preload(): void {
  const text = process.env[SETTINGS_VARIABLE];
  if (text === undefined) return;
  let who = "the program";
  try {
    const settings = JSON.parse(text) as RunSettings | FollowedSettings;
    if ("followed" in settings) {
      who = `process ${process.pid}`;
      // Children of this process are followed even where it cannot be tracked itself. In a worker thread, which has
      // node:child_process to itself, this is all there is to do: the agent finds threads.
      followChildren(text);
      if (isMainThread) new Tracker(settingsOfChild(settings));
    } else if (isMainThread) {
      // What the program starts in turn is not tracked, unless asked for.
      delete process.env[SETTINGS_VARIABLE];
      if (settings.parent !== undefined) loadAgent(packageFolder()).endWithParent({ parent: settings.parent });
      new Tracker(settingsOfRun(settings));
    }
  } catch (error) {
    tell(`heapray: ${who} runs untracked: ${(error as Error).message}\n`);
  }
}

function settingsOfRun({ file, overwrite, buffered, aggregate, parent, ...settings }: RunSettings): TrackerSettings {
  const fileFormat = aggregate ? FileFormat.AGGREGATED_ALLOCATIONS : FileFormat.ALL_ALLOCATIONS;
  const capture = file.replaceAll("{pid}", String(process.pid));
  // heapray compresses captures when the program has ended.
  return {
    ...settings,
    destination: new FileDestination(capture, { overwrite, buffered, compressOnExit: false }),
    fileFormat,
  };
}

// In children that are followed, Node.js's test runner hands the preload on a second time: its place in the cache keeps
// it from running twice.
const followed = process.env[SETTINGS_VARIABLE]?.startsWith('{"followed"') ?? false;
try {
  preload();
} finally {
  if (!followed) hide();
}
