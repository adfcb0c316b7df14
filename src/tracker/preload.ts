/**
 * Starts the tracker that the environment variable HEAPRAY_RUN describes, before the program: for `heapray run`, and in
 * children that are followed. Whatever fails here, the program goes on untracked.
 */
import { closeSync, writeSync } from "node:fs";
import path from "node:path";
import { type Agent, loadAgent } from "./binding.js";
import { SETTINGS_VARIABLE } from "./child-environment.js";
import { FileDestination, SocketDestination } from "./destinations.js";
import { followChildren } from "./follow-children.js";
import { type FileSettings, type FollowedSettings, settingsOfChild } from "./followed.js";
import { isMainThread } from "./main-thread.js";
import { FileFormat, resolveSettings, type TrackerSettings } from "./options.js";
import { packageFolder } from "./package-folder.js";
import type { RunSettings } from "./run-settings.js";
import { Tracker } from "./tracker.js";
import { childWindowNames, windowNames } from "./window-files.js";
import { openWindows } from "./windows.js";

const PRELOAD = path.join(packageFolder(), "preload.cjs");
const PROCESS = path.join(packageFolder(), "preload-process.cjs");

/** Takes heapray out of what the program can see of its own start, and would hand on to what it forks. */
function hide(): void {
  const { execArgv } = process;
  const at = execArgv.indexOf(PRELOAD);
  if (at > 0) execArgv.splice(at - 1, 2);
  const { cache } = require;
  for (const file of [PRELOAD, PROCESS]) {
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

/** @returns whether this process is a child that is followed, or a thread of one */
function preload(): boolean {
  const text = process.env[SETTINGS_VARIABLE];
  if (text === undefined) return false;
  let followed = false;
  try {
    const settings = JSON.parse(text) as RunSettings | FollowedSettings;
    followed = "followed" in settings;
    if ("followed" in settings) {
      // Children of this process are followed even where it cannot be tracked itself. In a worker thread, which has
      // node:child_process to itself, this is all there is to do: the agent finds threads.
      followChildren(text);
      if (isMainThread()) trackChild(settings);
    } else if (isMainThread()) {
      // What the program starts in turn is not tracked, unless asked for.
      delete process.env[SETTINGS_VARIABLE];
      loadAgentOf(settings).endWithParent({ parent: settings.parent });
      if (settings.windows === undefined) new Tracker(settingsOfRun(settings));
      else recordInWindows(settings, settings.windows);
    }
  } catch (error) {
    const who = followed ? `process ${process.pid}` : "the program";
    tell(`heapray: ${who} runs untracked: ${(error as Error).message}\n`);
  }
  return followed;
}

/** Where that fails, `heapray run` learns that there will be no reports: it holds a signal back until then. */
function loadAgentOf(run: RunSettings): Agent {
  try {
    return loadAgent(packageFolder());
  } catch (error) {
    if (run.windows?.reports !== undefined) closeSync(run.windows.reports);
    throw error;
  }
}

function trackChild(settings: FollowedSettings): void {
  const { followed, windows } = settings;
  if (windows === undefined) new Tracker(settingsOfChild(settings));
  else {
    const names = childWindowNames(windows.names, process.pid);
    openWindows(loadAgent(packageFolder()), { ...windows, names }, followed);
  }
}

function recordInWindows(run: RunSettings, settings: NonNullable<RunSettings["windows"]>): void {
  const { file, overwrite, buffered, parent, livePort, aggregate, windows: _, followFork, ...recording } = run;
  const fileFormat = aggregate ? FileFormat.AGGREGATED_ALLOCATIONS : FileFormat.ALL_ALLOCATIONS;
  const options = { ...recording, fileFormat, followFork };
  const windows = { ...settings, names: windowNames(file, process.pid), overwrite, buffered };
  if (followFork) {
    // They have nobody to report to.
    const { reports, ...theirs } = windows;
    const followed = resolveSettings(
      { ...options, destination: new FileDestination(file, { overwrite, buffered }) },
      undefined,
    );
    followChildren(JSON.stringify({ followed: followed as FileSettings, windows: theirs } satisfies FollowedSettings));
  }
  openWindows(loadAgent(packageFolder()), windows, options);
}

function settingsOfRun(run: RunSettings): TrackerSettings {
  const { file, livePort, overwrite, buffered, aggregate, parent, windows, ...settings } = run;
  const fileFormat = aggregate ? FileFormat.AGGREGATED_ALLOCATIONS : FileFormat.ALL_ALLOCATIONS;
  if (livePort !== undefined) {
    return { ...settings, destination: new SocketDestination({ serverPort: livePort }), fileFormat };
  }
  const capture = file.replaceAll("{pid}", String(process.pid));
  // heapray compresses captures when the program has ended.
  const destination = new FileDestination(capture, { overwrite, buffered, compressOnExit: false });
  return { ...settings, destination, fileFormat };
}

// Node.js's test runner (24) hands the preload on to followed children once more, as a flag: its place in the cache
// keeps it from running twice.
if (!preload()) hide();
