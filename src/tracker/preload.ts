/**
 * Starts the tracker that the environment variable HEAPRAY_RUN describes, before the program: for `heapray run`, and in
 * children that are followed. Whatever fails here, the program goes on untracked.
 */
import { writeSync } from "node:fs";
import { isMainThread } from "node:worker_threads";
import { SETTINGS_VARIABLE } from "./child-environment.js";
import { FileDestination } from "./destinations.js";
import { followChildren } from "./follow-children.js";
import { type FollowedSettings, settingsOfChild } from "./followed.js";
import { FileFormat, type TrackerSettings } from "./options.js";
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
      new Tracker(settingsOfRun(settings));
    }
  } catch (error) {
    say(`heapray: ${who} runs untracked: ${(error as Error).message}\n`);
  }
}

function settingsOfRun({ file, overwrite, buffered, aggregate, ...settings }: RunSettings): TrackerSettings {
  const fileFormat = aggregate ? FileFormat.AGGREGATED_ALLOCATIONS : FileFormat.ALL_ALLOCATIONS;
  const capture = file.replaceAll("{pid}", String(process.pid));
  // heapray compresses captures when the program has ended.
  return {
    ...settings,
    destination: new FileDestination(capture, { overwrite, buffered, compressOnExit: false }),
    fileFormat,
  };
}

function say(sentence: string): void {
  try {
    // Not process.stderr: whoever reads it may be gone, and its error would end the program.
    writeSync(2, sentence);
  } catch {
    // Nobody to tell.
  }
}

preload();
