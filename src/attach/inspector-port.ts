import { setTimeout as sleep } from "node:timers/promises";
import { AttachError } from "./errors.js";
import { inspectorUrl } from "./inspector-session.js";
import { closeOnceOpen } from "./late-inspector.js";
import { allListening, holderOf, type ListeningSocket, listeningSockets } from "./listening-sockets.js";
import type { ProcessFacts } from "./process-facts.js";

const USUAL_PORT = 9229;
const POLL_MS = 10;
const SLOW_POLL_MS = 50;
/** How long another process may hold the port: as another heapray does for moments. */
const PORT_PATIENCE_MS = 3000;
/** How long a process may take to open its inspector: what its main thread is busy with cannot be interrupted. */
const OPEN_PATIENCE_MS = 10_000;
/** How long one may take that has nothing else to do. */
const IDLE_PATIENCE_MS = 2000;
/** Files and sockets that an inspector and a recording open, and some that the program may need meanwhile. */
const SPARE_DESCRIPTORS = 16;
/** When to look at the process's other ports. */
const USUALLY_OPEN_MS = 1000;

export interface OpenInspector {
  readonly url: string;
  /** Whether it is open on our account, to be closed again. */
  readonly ours: boolean;
}

/** The inspector may still open, when the process comes to it. */
class BusyError extends AttachError {
  override name = "AttachError";
}

/**
 * Finds a process's inspector, or has it opened by SIGUSR1.
 * @throws {AttachError}
 */
export async function openInspector(found: ProcessFacts, signal: AbortSignal): Promise<OpenInspector> {
  const { startTime } = found;
  const before = listeningSockets(found);
  const port = debugPort(found.flags);
  const url = await firstInspector(before.filter((one) => isLikely(one, port, found.flags)));
  if (url !== undefined) return { url, ours: false };

  checkCanBeOpened(found);
  await portIsFree(found, port, signal);
  signal.throwIfAborted();
  // It may have ended meanwhile, and the signal would end another process of that id.
  if (!found.isStill(startTime)) throw new AttachError(`process ${found.pid} has ended.`);
  checkCanBeOpened(found);
  process.kill(found.pid, "SIGUSR1");
  try {
    return await waitForInspector(found, before, port, signal);
  } catch (error) {
    // It will open, when nobody needs it any more.
    if (error instanceof BusyError || signal.aborted) closeOnceOpen(found, before);
    throw error;
  }
}

/** Programs' own servers are not asked without need: they would log it. */
function isLikely(socket: ListeningSocket, port: number, flags: readonly string[]): boolean {
  return socket.port === port || flags.some((flag) => /^--inspect(?:-brk|-wait)?(?:=|$)/.test(flag));
}

/** The port that a process opens its inspector on, by its flags. */
export function debugPort(flags: readonly string[]): number {
  let port = USUAL_PORT;
  for (const flag of flags) {
    const [, value] = /^--(?:inspect(?:-brk|-port|-wait)?|debug-port)=(?:.*:)?(\d+)$/.exec(flag) ?? [];
    if (value !== undefined) port = Number(value);
  }
  return port;
}

async function firstInspector(sockets: readonly ListeningSocket[]): Promise<string | undefined> {
  for (const socket of sockets) {
    const url = await inspectorUrl(socket);
    if (url !== undefined) return url;
  }
  return undefined;
}

function checkCanBeOpened(found: ProcessFacts): void {
  const { freeDescriptors, descriptorLimit } = found;
  if (freeDescriptors < SPARE_DESCRIPTORS) {
    // Node.js aborts where it cannot open them.
    throw new AttachError(
      `process ${found.pid} may open only ${Math.max(freeDescriptors, 0)} more files and sockets, which its inspector might not survive: raise its limit first, with prlimit --pid ${found.pid} --nofile=${descriptorLimit + 64}:`,
    );
  }
  if (found.catchesInspectorSignal) return;
  const { pid, flags, isUnderPermissions } = found;
  if (isUnderPermissions) throw new AttachError(keptShut(pid));
  const why = flags.includes("--disable-sigusr1")
    ? "was started with --disable-sigusr1"
    : "has no handler for SIGUSR1, or not yet";
  throw new AttachError(
    `process ${pid} ${why}, and its inspector is not open: start it with --inspect=127.0.0.1:0, or under heapray run.`,
  );
}

function keptShut(pid: number): string {
  return `process ${pid} runs under Node.js's permission model, which keeps its inspector shut: start it under heapray run.`;
}

/** @throws {AttachError} another process listens there, and goes on doing so */
async function portIsFree(found: ProcessFacts, port: number, signal: AbortSignal): Promise<void> {
  for (const deadline = Date.now() + PORT_PATIENCE_MS; ; await pause(SLOW_POLL_MS, signal)) {
    const taken = port === 0 ? undefined : allListening(found).find((one) => one.port === port);
    if (taken === undefined) return;
    if (Date.now() > deadline) {
      throw new AttachError(
        `process ${found.pid} would open its inspector on port ${port}, where ${nameOfHolder(taken)} listens: close that one, and try again.`,
      );
    }
  }
}

function nameOfHolder(socket: ListeningSocket): string {
  const holder = holderOf(socket);
  return holder === undefined ? "another process" : `process ${holder.pid} (${holder.commandLine.join(" ")})`;
}

async function waitForInspector(
  found: ProcessFacts,
  before: readonly ListeningSocket[],
  port: number,
  signal: AbortSignal,
): Promise<OpenInspector> {
  const known = new Set(before.map(({ inode }) => inode));
  const start = Date.now();
  let others = before.filter((one) => one.port !== port);
  for (let passed = 0; passed < OPEN_PATIENCE_MS; passed = Date.now() - start) {
    if (found.state === undefined) throw new AttachError(`process ${found.pid} has ended.`);
    const url = await newInspector(found, known);
    if (url !== undefined) return { url, ours: true };
    if (passed > USUALLY_OPEN_MS && others.length > 0) {
      // One that the program itself opened, on a port of its choice.
      const theirs = await firstInspector(others);
      if (theirs !== undefined) return { url: theirs, ours: false };
      others = [];
    }
    if (passed > IDLE_PATIENCE_MS && found.isIdle) throw new AttachError(whyNotOpened(found, port));
    await pause(passed < USUALLY_OPEN_MS ? POLL_MS : SLOW_POLL_MS, signal);
  }
  throw new BusyError(
    `process ${found.pid} did not open its inspector within ${OPEN_PATIENCE_MS / 1000} s: its main thread is busy in one long call, so try again when that is done, or the program has a SIGUSR1 handler of its own.`,
  );
}

/** The inspector among the sockets that a process listens on since then; undefined for none. */
export function newInspector(found: ProcessFacts, known: ReadonlySet<string>): Promise<string | undefined> {
  return firstInspector(listeningSockets(found).filter(({ inode }) => !known.has(inode)));
}

/** Of a process that has nothing else to do. */
function whyNotOpened(found: ProcessFacts, port: number): string {
  const { pid, isUnderPermissions } = found;
  const taken = allListening(found).find((one) => one.port === port);
  if (taken !== undefined) {
    return `process ${pid} could not open its inspector, since ${nameOfHolder(taken)} listens on port ${port}: close that one, and try again.`;
  }
  if (isUnderPermissions) return keptShut(pid);
  return `process ${pid} does not open its inspector: the program has a SIGUSR1 handler of its own, which heapray's signal came to; start it with --inspect=127.0.0.1:0, or under heapray run.`;
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal }).catch(() => {});
  signal.throwIfAborted();
}
