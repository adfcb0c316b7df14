import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import type { RunSettings } from "../tracker/run-settings.js";
import { CliError } from "./errors.js";
import { closeDescriptors, inheritedDescriptors } from "./inherited-descriptors.js";
import type { Launch } from "./launch.js";
import { type Channel, channelToParent, relayMessages } from "./message-relay.js";
import { forwardSignals, type HeldSignal } from "./signals.js";
import { readReports, type WindowReport } from "./window-reports.js";

export interface ChildExit {
  readonly pid: number;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** What becomes of the standard streams: this process's own, nothing, or pipes that this process reads. */
export type Streams = readonly [0 | "ignore", 1 | "pipe", 2 | "pipe"];

export interface TrackedChild {
  readonly child: ChildProcess;
  /** Rejects with a CliError where it could not be started. */
  readonly exit: Promise<ChildExit>;
}

// As this module is loaded, since the standard streams open descriptors of their own when they are first used.
const INHERITED = inheritedDescriptors();

/** The highest descriptor that the program is given. */
function lastPassedOn(channel: Channel | undefined): number {
  return Math.max(2, channel?.descriptor ?? 0, ...INHERITED);
}

/** Every descriptor that this process was given, under its own number; behind them, if need be, one for reports. */
function passedOn(channel: Channel | undefined, streams: Streams, reports: number | undefined): StdioOptions {
  const given = new Set([0, 1, 2, ...INHERITED]);
  const stdio: StdioOptions = Array.from({ length: lastPassedOn(channel) + 1 }, (_, number) => {
    if (number === channel?.descriptor) return "ipc";
    if (number < streams.length) return streams[number as 0 | 1 | 2];
    return given.has(number) ? number : "ignore";
  });
  return reports === undefined ? stdio : [...stdio, "pipe"];
}

/** For a program that is recorded in windows. */
export interface WindowListener {
  /** A signal that would end the program before it is ready for windows. */
  readonly held: NodeJS.Signals | undefined;
  onReport(pid: number, report: WindowReport): void;
}

// What the program told before its end may still be on its way then.
const LAST_REPORTS_MS = 200;

function whyNotStarted({ command }: Launch, { code, message }: NodeJS.ErrnoException): string {
  if (code === "EMFILE") return 'too many files are open for heapray to start; permit more ("ulimit -n 1024").';
  return `cannot start ${command}: ${message}.`;
}

/**
 * Runs a program with the tracker loaded, on this process's standard streams and whatever other descriptors and
 * channel it was given; signals are passed on.
 * @throws {CliError} the process could not be started
 */
export async function runTracked(
  launch: Launch,
  settings: Omit<RunSettings, "parent">,
  listener?: WindowListener,
): Promise<ChildExit> {
  return startTracked(launch, settings, [0, 1, 2], true, listener).exit;
}

/**
 * The same of a program whose end is waited for elsewhere, or whose streams are.
 * @param passesAll whether all signals are passed on, not only those that programs are told things with
 */
export function startTracked(
  launch: Launch,
  settings: Omit<RunSettings, "parent">,
  streams: Streams = [0, 1, 2],
  passesAll = true,
  listener?: WindowListener,
): TrackedChild {
  const channel = channelToParent();
  const reports = listener === undefined ? undefined : lastPassedOn(channel) + 1;
  const windows = settings.windows && { ...settings.windows, reports };
  const child = spawn(launch.command, launch.args, {
    stdio: passedOn(channel, streams, reports),
    ...(channel ? { serialization: channel.serialization } : {}),
    argv0: launch.argv0,
    env: launch.environment({ ...settings, windows, parent: process.pid }),
  });
  const exit = new Promise<ChildExit>((resolve, reject) => {
    const pipe = reports === undefined ? undefined : child.stdio[reports];
    const told = listener === undefined ? undefined : tellOfWindows(child, pipe as Readable | undefined, listener);
    const restoreSignals = forwardSignals(child, passesAll, told?.held);
    child.on("error", (error: NodeJS.ErrnoException) => {
      restoreSignals();
      reject(new CliError(whyNotStarted(launch, error)));
    });
    child.once("spawn", () => {
      closeDescriptors(INHERITED.filter((number) => number !== channel?.descriptor));
      if (channel) relayMessages(child);
    });
    child.on("exit", (code, signal) => {
      restoreSignals();
      const ended = async () => {
        if (told !== undefined) await Promise.race([told.all, sleep(LAST_REPORTS_MS, undefined, { ref: false })]);
        pipe?.destroy();
        resolve({ pid: child.pid ?? 0, code, signal });
      };
      // Its last messages may still be on their way.
      if (child.connected) child.once("disconnect", ended);
      else void ended();
    });
  });
  return { child, exit };
}

/** @returns what comes when there are no more reports, and the signal that waits until the program is ready, or never will be */
function tellOfWindows(
  child: ChildProcess,
  reports: Readable | undefined,
  { held, onReport }: WindowListener,
): { readonly all: Promise<void>; readonly held: HeldSignal | undefined } {
  let ready = (): void => {};
  const until = new Promise<void>((resolve) => {
    ready = resolve;
  });
  if (reports === undefined) return { all: Promise.resolve(), held: undefined };
  const all = readReports(reports, (report) => {
    onReport(child.pid ?? 0, report);
    if (report.kind === "ready") ready();
  });
  void all.then(ready);
  return { all, held: held && { signal: held, until } };
}
