import { constants } from "node:os";
import { type Agent, heaprayVersion } from "./binding.js";
import { FileDestination } from "./destinations.js";
import { stayLastAtExit } from "./last-at-exit.js";
import { captureHeader } from "./metadata.js";
import { FileFormat, resolveSettings, type TrackerOptions } from "./options.js";
import { packageFolder } from "./package-folder.js";
import { exactPositionFlags } from "./v8-flags.js";
import { type WindowNames, windowFile } from "./window-files.js";

/** Recordings that a signal begins and ends while the process goes on. */
export interface WindowSettings {
  /** The signal; undefined: none. */
  readonly signal?: NodeJS.Signals | undefined;
  /** The first window does not begin with the program. */
  readonly paused: boolean;
  /** Tell nothing but failures. */
  readonly quiet: boolean;
  /** The descriptor that `heapray run` reads what happens from (src/cli/window-reports.ts). */
  readonly reports?: number | undefined;
  readonly names: WindowNames;
  readonly overwrite: boolean;
  readonly buffered: boolean;
}

/**
 * From now on windows are begun and ended by the agent, without JavaScript: a busy program is recorded at once.
 * @throws an error of the operating system: the signal cannot be caught
 */
export function openWindows(agent: Agent, windows: WindowSettings, options: TrackerOptions): void {
  const { names, overwrite, buffered, signal, paused, quiet, reports } = windows;
  const destination = new FileDestination(windowFile(names, 1), { overwrite, buffered });
  const settings = resolveSettings({ ...options, destination }, undefined);
  const { traceJsHeap, nativeTraces, embedSymbols, memoryIntervalMs } = settings;
  const jsObjects = traceJsHeap !== false;
  const [metadata, metadataRest] = aroundStartTime(
    JSON.stringify(captureHeader(settings, heaprayVersion(packageFolder()))),
  );
  const warning = agent.openWindows({
    ...names,
    overwrite,
    buffered,
    paused,
    quiet,
    reports: reports ?? -1,
    signal: signal === undefined ? 0 : constants.signals[signal],
    metadata,
    metadataRest,
    v8Flags: exactPositionFlags(jsObjects),
    aggregate: settings.fileFormat === FileFormat.AGGREGATED_ALLOCATIONS,
    nativeTraces,
    embedSymbols,
    jsObjects,
    jsHeapInterval: jsObjects ? traceJsHeap : 0,
    memoryIntervalMs,
  });
  stayLastAtExit(() => agent.closeWindows());
  if (warning !== "") {
    process.emitWarning(
      `JavaScript frames cannot be read in Node.js ${process.version}: ${warning}; allocations are recorded without.`,
      "HeaprayWarning",
    );
  }
}

/** The header's text before and after the time that a window begins. (Within a text of the header, quotes are escaped.) */
function aroundStartTime(header: string): [string, string] {
  const found = /"startTimeMs":(\d+)/u.exec(header);
  if (found === null) throw new Error("the header has no time.");
  const end = found.index + found[0].length;
  return [header.slice(0, end - (found[1] ?? "").length), header.slice(end)];
}
