import path from "node:path";
import { InvalidArgumentError } from "commander";
import { hasEnded, writtenSince } from "../tracker/child-captures.js";
import type { RunSettings } from "../tracker/run-settings.js";
import {
  type WindowCapture,
  type WindowNames,
  windowCaptures,
  windowFile,
  windowNames,
} from "../tracker/window-files.js";
import { CliError } from "./errors.js";
import { commandLine } from "./invocation.js";
import type { Launch } from "./launch.js";
import { checkOutputFile, typed } from "./paths.js";
import { tell } from "./standard-error.js";
import { type ChildExit, runTracked } from "./tracked-child.js";
import type { WindowReport } from "./window-reports.js";

const SIGNALS = ["SIGUSR2", "SIGHUP", "SIGALRM"] as const;
export type WindowSignal = (typeof SIGNALS)[number] | "none";

/** @throws {InvalidArgumentError} Node.js itself, or how programs end, needs any other */
export function windowSignal(text: string): WindowSignal {
  const name = text.toUpperCase().replace(/^(?!SIG)/u, "SIG");
  if (name === "SIGNONE") return "none";
  const found = SIGNALS.find((signal) => signal === name);
  if (found === undefined) throw new InvalidArgumentError(`It is one of ${SIGNALS.join(", ")} and none.`);
  return found;
}

export interface WindowOptions {
  readonly paused: boolean;
  readonly signal: WindowSignal;
  readonly quiet: boolean;
  readonly force: boolean;
  readonly compress: boolean;
}

/**
 * Refuses what cannot become the windows' captures.
 * @param file as it was asked for, with `{pid}` for the process's id
 * @returns its absolute path
 * @throws {CliError}
 */
export function checkWindowFiles(file: string, force: boolean): string {
  const names = windowNames(file, 0);
  if (!force) {
    const [existing] = file.includes("{pid}") ? [] : windowCaptures(names);
    if (existing !== undefined) {
      throw new CliError(`${typed(existing.file)} exists; give -f to overwrite it, or another name with -o.`);
    }
  }
  checkOutputFile(windowFile(names, 1), force);
  return path.resolve(file);
}

/** Runs a program that is recorded in windows, says what happens, and compresses each capture as its window has ended. */
export async function runInWindows(
  launch: Launch,
  settings: Omit<RunSettings, "parent" | "windows">,
  options: WindowOptions,
): Promise<ChildExit> {
  const { quiet, paused } = options;
  const startTimeMs = Date.now();
  const signal = options.signal === "none" ? undefined : options.signal;
  const isNew = writtenSince(startTimeMs);
  let compressed = Promise.resolve();
  const onReport = (pid: number, report: WindowReport): void => {
    const names = windowNames(settings.file, pid);
    if (!quiet) sayWhatHappened(report, names, pid, { paused, signal });
    if (report.kind !== "ended" || !options.compress) return;
    const file = windowFile(names, report.number);
    compressed = compressed.then(() => compress([file], { quiet: true, mostAtOnce: 1 }));
  };
  const windows = { signal, paused, quiet };
  const exit = await runTracked(launch, { ...settings, windows }, { held: signal, onReport });
  await compressed;
  const captures = windowCaptures(windowNames(settings.file, exit.pid)).filter(isNew);
  if (options.compress) {
    const ended = captures.filter(({ child }) => child === undefined || hasEnded(child));
    await compress(
      ended.map(({ file }) => file),
      { quiet },
    );
  }
  if (!quiet) saySummary(captures);
  return exit;
}

async function compress(files: readonly string[], how: { quiet: boolean; mostAtOnce?: number }): Promise<void> {
  const { compressCaptures } = await import("./compression.js");
  await compressCaptures(files, how.quiet, how.mostAtOnce);
}

function sayWhatHappened(
  report: WindowReport,
  names: WindowNames,
  pid: number,
  { paused, signal }: { readonly paused: boolean; readonly signal: WindowSignal | undefined },
): void {
  const command = signal === undefined ? undefined : `kill -${signal.replace(/^SIG/u, "")} ${pid}`;
  switch (report.kind) {
    case "ready":
      if (!paused) return;
      if (command === undefined) {
        tell(`[heapray] process ${pid} is not recorded; heapray attach ${pid} begins to.\n`);
      } else {
        tell(
          `[heapray] process ${pid} is not recorded yet; to begin a window, and to end it, type:\n\n  ${command}\n\n`,
        );
      }
      return;
    case "begun":
      tell(
        `[heapray] window ${report.number} has begun${command === undefined ? "" : `; to end it, type: ${command}`}\n`,
      );
      return;
    case "ended": {
      const file = typed(windowFile(names, report.number));
      const state = report.complete ? "has ended" : "has ended, incomplete";
      tell(
        `[heapray] window ${report.number} ${state}; to see where the memory went, type:\n\n` +
          `  ${commandLine()} flamegraph ${file}\n\n`,
      );
      return;
    }
    case "failed":
      tell(`[heapray] no window begins: ${report.why}\n`);
  }
}

function saySummary(captures: readonly WindowCapture[]): void {
  const own = captures.filter(({ child }) => child === undefined);
  const ofChildren = captures.length - own.length;
  const first = own[0]?.file ?? captures[0]?.file;
  if (first === undefined) {
    tell("[heapray] no window was recorded.\n");
    return;
  }
  const last = own.at(-1)?.file ?? first;
  const range = first === last ? typed(first) : `${typed(first)} to ${typed(last)}`;
  const family = ofChildren > 0 ? `, and ${counted(ofChildren)} of child processes` : "";
  tell(`[heapray] recorded ${counted(own.length)}${own.length > 0 ? ` (${range})` : ""}${family}.\n`);
}

function counted(windows: number): string {
  return `${windows} ${windows === 1 ? "window" : "windows"}`;
}
