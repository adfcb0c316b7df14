import { statSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Command, InvalidArgumentError, Option } from "commander";
import type { AttachSettings } from "../tracker/attach-settings.js";
import { DEFAULT_JS_HEAP_INTERVAL } from "../tracker/options.js";
import { CliError } from "./errors.js";
import { commandLine } from "./invocation.js";
import { checkOutputFile, typed } from "./paths.js";
import { isComplete, jsHeapInterval, positiveInteger } from "./run.js";
import { tell } from "./standard-error.js";

interface AttachOptions {
  readonly output?: string;
  readonly force: boolean;
  readonly quiet: boolean;
  readonly duration?: number;
  readonly native: boolean;
  readonly aggregate: boolean;
  readonly traceJsHeap: boolean;
  readonly jsHeapInterval?: number;
  readonly memoryIntervalMs: number;
  readonly compress: boolean;
  readonly followFork: boolean;
}

const EXAMPLES = `
Examples:
  heapray attach 4712 -o server.bin
  heapray attach 4712 -o server.bin --duration 60
  heapray attach 4712 -o server.bin -f --aggregate
  heapray attach "$(pgrep -f server.js)" -o server.bin
`;

const INTERRUPTS: NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP"];
const LOOK_MS = 100;
/** A process whose main thread is in one long call ends tracking when that is done. */
const LATE_MS = 1000;

export function attachCommand(): Command {
  return new Command("attach")
    .summary("track a program that is already running")
    .description(
      "Track a Node.js process that is already running, until Ctrl-C, heapray detach or its end: no restart, no debugger.",
    )
    .argument("<pid>", "the process's id", processId)
    .option("-o, --output <file>", "the capture to write")
    .option("-f, --force", "overwrite the capture if it exists", false)
    .option("-q, --quiet", "print nothing of heapray's own", false)
    .option("--duration <seconds>", "end tracking after this time", seconds)
    .option("--native", "record native (C, C++, Rust) frames too", false)
    .option("--aggregate", "write sums by location when tracking ends instead of every allocation", false)
    .option("--trace-js-heap", "record the objects of the JavaScript heap as well, sampled", false)
    .addOption(
      new Option("--js-heap-interval <bytes>", "bytes from one sampled object to the next (default: 16384)")
        .argParser(jsHeapInterval)
        .implies({ traceJsHeap: true }),
    )
    .option("--memory-interval-ms <n>", "milliseconds between two memory snapshots", positiveInteger, 10)
    .option("--follow-fork", "track the Node.js processes that it starts too, each in <capture>.<pid>", false)
    .option("--no-compress", "leave the capture uncompressed when tracking has ended")
    .addHelpText("after", EXAMPLES)
    .action(attach);
}

async function attach(pid: number, options: AttachOptions): Promise<void> {
  if (options.output === undefined) throw new CliError("give the capture to write with -o.");
  const file = checkOutputFile(options.output.replaceAll("{pid}", String(pid)), options.force);
  const { withProcess } = await import("../attach/attached-process.js");
  const { checkSeesFolder } = await import("../attach/attachable.js");
  const { CaptureWatch } = await import("../attach/capture-watch.js");
  const startTimeMs = Date.now();

  const interrupt = new AbortController();
  const onSignal = () => interrupt.abort(new CliError("interrupted: nothing is tracked."));
  for (const signal of INTERRUPTS) process.on(signal, onSignal);
  try {
    const watch = await withProcess(
      pid,
      async (target) => {
        await target.check();
        checkSeesFolder(target.facts, path.dirname(file));
        interrupt.signal.throwIfAborted();
        await target.start(settingsOf(options, file));
        return new CaptureWatch(target.facts, file);
      },
      interrupt.signal,
    );
    if (!options.quiet) {
      tell(`[heapray] process ${pid} is being tracked; Ctrl-C, or ${commandLine()} detach ${pid}, ends that.\n`);
    }
    const how = await waitForEnd(watch, file, options, interrupt.signal);
    if (how === "asked") await endTracking(pid, watch);
    await finish(pid, file, how, options, startTimeMs);
  } finally {
    for (const signal of INTERRUPTS) process.off(signal, onSignal);
  }
}

function settingsOf(options: AttachOptions, file: string): AttachSettings {
  return {
    id: `${process.pid} ${process.hrtime.bigint()}`,
    file,
    overwrite: options.force,
    nativeTraces: options.native,
    memoryIntervalMs: options.memoryIntervalMs,
    aggregate: options.aggregate,
    traceJsHeap: options.traceJsHeap && (options.jsHeapInterval ?? DEFAULT_JS_HEAP_INTERVAL),
    followFork: options.followFork,
    ...(options.duration === undefined ? {} : { durationMs: options.duration * 1000 }),
  };
}

/** `asked`: it is this process that is to end tracking now. */
type Ending = "asked" | "stopped" | "exited";

interface Watch {
  readonly hasEnded: boolean;
  readonly isWritten: boolean;
}

async function waitForEnd(
  watch: Watch,
  file: string,
  { duration, quiet }: AttachOptions,
  interrupted: AbortSignal,
): Promise<Ending> {
  const start = Date.now();
  const deadline = duration === undefined ? Number.POSITIVE_INFINITY : start + duration * 1000 + LATE_MS;
  const shown = !quiet && process.stderr.isTTY;
  try {
    while (watch.isWritten) {
      if (interrupted.aborted || Date.now() > deadline) return "asked";
      if (shown) tell(`\r\x1b[K[heapray] ${progress(start, file)}`);
      await sleep(LOOK_MS, undefined, { signal: interrupted }).catch(() => {});
    }
    return watch.hasEnded ? "exited" : "stopped";
  } finally {
    if (shown) tell("\r\x1b[K");
  }
}

function progress(start: number, file: string): string {
  const bytes = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  return `${Math.floor((Date.now() - start) / 1000)} s, ${(bytes / 1e6).toFixed(1)} MB`;
}

/** It may end by itself meanwhile, or be ended by somebody else. */
async function endTracking(pid: number, watch: Watch): Promise<void> {
  const { withProcess } = await import("../attach/attached-process.js");
  try {
    await withProcess(pid, (target) => target.stop());
  } catch (error) {
    if (watch.isWritten && !watch.hasEnded) throw error;
  }
}

async function finish(
  pid: number,
  file: string,
  how: Ending,
  { quiet, compress, aggregate, followFork }: AttachOptions,
  startTimeMs: number,
): Promise<void> {
  const { childCaptures, hasEnded, writtenSince } = await import("../tracker/child-captures.js");
  const children = followFork ? childCaptures(file).filter(writtenSince(startTimeMs)) : [];
  if (compress) {
    const { compressCaptures } = await import("./compression.js");
    await compressCaptures(
      [file, ...children.filter((child) => hasEnded(child.pid)).map((child) => child.file)],
      quiet,
    );
  }
  if (quiet) return;
  const ended = how === "exited" ? `process ${pid} has ended; ` : "";
  if (aggregate && !(await isComplete(file))) {
    tell(
      `[heapray] ${ended}${typed(file)} has no data, which is written when tracking ends: without --aggregate it would have.\n`,
    );
    return;
  }
  const family = `${children.length} ${children.length === 1 ? "capture of a child process" : "captures of child processes"}`;
  const next = children.length > 0 ? `, and ${family} next to it (${typed(file)}.<pid>)` : "";
  tell(
    `[heapray] ${ended}wrote ${typed(file)}${next}; to see where the memory went, type:\n\n` +
      `  ${commandLine()} flamegraph ${typed(file)}\n\n`,
  );
}

export function processId(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < 1) {
    throw new InvalidArgumentError("Give one process id, a whole number.");
  }
  return value;
}

function seconds(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 1e6)) throw new InvalidArgumentError("Give a number of seconds.");
  return value;
}
