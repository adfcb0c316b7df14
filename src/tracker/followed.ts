import path from "node:path";
import { FileDestination } from "./destinations.js";
import type { ResolvedSettings, TrackerSettings } from "./options.js";
import type { WindowSettings } from "./windows.js";

/** Settings whose captures are files, as those of followed children are. */
export type FileSettings = ResolvedSettings & { readonly destination: FileDestination };

/**
 * What a child process that is followed finds in HEAPRAY_RUN: how its ancestor is tracked. Children of children have
 * the same: their captures all lie next to the first one.
 */
export interface FollowedSettings {
  readonly followed: FileSettings;
  /** Record in windows, each process in its own; the names are the first process's. */
  readonly windows?: WindowSettings;
}

/** @param file absolute path of the capture that those of children are named after */
export function settingsForChildren(settings: FileSettings, file: string): string {
  const followed = { ...settings, destination: { ...settings.destination, path: file } };
  return JSON.stringify({ followed } satisfies FollowedSettings);
}

/** The settings of this process's tracker, as a child's: its capture is its ancestor's name with its process id. */
export function settingsOfChild({ followed }: FollowedSettings): TrackerSettings {
  const { path: file, ...options } = followed.destination;
  return { ...followed, destination: new FileDestination(childCapture(file, process.pid), options) };
}

/** The capture of a child process, memray's name for it. */
function childCapture(capture: string, pid: number): string {
  return path.join(path.dirname(capture), `${path.basename(capture)}.${pid}`);
}
