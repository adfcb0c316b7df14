import { statSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { CaptureWatch } from "../attach/capture-watch.js";
import { type AttachOptions, checkRuntime, settingsFor } from "./attach-options.js";
import { CliError } from "./errors.js";
import { commandLine } from "./invocation.js";
import { checkOutputFile, typed } from "./paths.js";
import { INTERRUPTS } from "./signals.js";
import { tell } from "./standard-error.js";
import { isComplete, wrote } from "./written-captures.js";

const LOOK_MS = 100;
/** A process whose main thread is in one long call ends tracking when that is done. */
const LATE_MS = 1000;

/** Records into a file, until the time is over, the user or another heapray ends it, or the process ends. */
export async function attachRecording(pid: number, output: string, options: AttachOptions): Promise<void> {
  const file = checkOutputFile(output.replaceAll("{pid}", String(pid)), options.force);
  const { withTarget } = await import("../attach/target.js");
  const { checkSeesFolder } = await import("../attach/attachable.js");
  const { CaptureWatch } = await import("../attach/capture-watch.js");
  const startTimeMs = Date.now();
  const settings = settingsFor({ file, overwrite: options.force }, options);

  const interrupt = new AbortController();
  const onSignal = () => interrupt.abort(new CliError("interrupted: nothing is tracked."));
  for (const signal of INTERRUPTS) process.on(signal, onSignal);
  try {
    const watch = await withTarget(
      pid,
      async (target) => {
        checkRuntime(target.runtime, options);
        await target.check();
        checkSeesFolder(target.facts, path.dirname(file));
        interrupt.signal.throwIfAborted();
        await target.start(settings);
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

/** `asked`: it is this process that is to end tracking now. */
type Ending = "asked" | "stopped" | "exited";

async function waitForEnd(
  watch: CaptureWatch,
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
async function endTracking(pid: number, watch: CaptureWatch): Promise<void> {
  const { withTarget } = await import("../attach/target.js");
  try {
    await withTarget(pid, (target) => target.stop());
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
  if (how === "stopped" && !(await isComplete(file))) {
    tell(
      `[heapray] tracking ended before its time (a full disk? the process's standard error tells); ${typed(file)} has what came before.\n`,
    );
    return;
  }
  tell(`[heapray] ${ended}${wrote(file, children.length)}`);
}
