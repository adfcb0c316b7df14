import { setTimeout as sleep } from "node:timers/promises";
import { AttachError } from "./errors.js";
import { inspectorUrl } from "./inspector-session.js";
import { allListening, type ListeningSocket, listeningSockets } from "./listening-sockets.js";
import type { ProcessFacts } from "./process-facts.js";

const USUAL_PORT = 9229;
const POLL_MS = 10;
/** How long another process may hold the port: as another heapray does for moments. */
const PORT_PATIENCE_MS = 3000;
/** How long a process may take to open its inspector: what its main thread is busy with cannot be interrupted. */
const OPEN_PATIENCE_MS = 10_000;
/** When to look at the process's other ports. */
const USUALLY_OPEN_MS = 1000;

export interface OpenInspector {
  readonly url: string;
  /** Whether it is open on our account, to be closed again. */
  readonly ours: boolean;
}

/**
 * Finds a process's inspector, or has it opened by SIGUSR1.
 * @throws {AttachError}
 */
export async function openInspector(found: ProcessFacts, signal: AbortSignal): Promise<OpenInspector> {
  const before = listeningSockets(found);
  const port = debugPort(found.flags);
  const url = await firstInspector(before.filter((one) => isLikely(one, port, found.flags)));
  if (url !== undefined) return { url, ours: false };

  checkCanBeOpened(found);
  await portIsFree(found, port, signal);
  signal.throwIfAborted();
  process.kill(found.pid, "SIGUSR1");
  return waitForInspector(found, before, port);
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
  if (found.catchesInspectorSignal) return;
  const why = found.flags.includes("--disable-sigusr1")
    ? "it was started with --disable-sigusr1"
    : "it ignores SIGUSR1";
  throw new AttachError(
    `process ${found.pid} does not open its inspector (${why}): start it with --inspect=127.0.0.1:0, or under heapray run.`,
  );
}

/** @throws {AttachError} another process listens there, and goes on doing so */
async function portIsFree(found: ProcessFacts, port: number, signal: AbortSignal): Promise<void> {
  for (const deadline = Date.now() + PORT_PATIENCE_MS; ; await sleep(POLL_MS, undefined, { signal })) {
    if (port === 0 || !allListening(found).some((one) => one.port === port)) return;
    if (Date.now() > deadline) {
      throw new AttachError(
        `process ${found.pid} would open its inspector on port ${port}, where another process listens: close that one (another program's --inspect?) and try again.`,
      );
    }
  }
}

async function waitForInspector(
  found: ProcessFacts,
  before: readonly ListeningSocket[],
  port: number,
): Promise<OpenInspector> {
  const known = new Set(before.map(({ inode }) => inode));
  const start = Date.now();
  let others = before.filter((one) => one.port !== port);
  for (; Date.now() < start + OPEN_PATIENCE_MS; await sleep(POLL_MS)) {
    if (found.state === undefined) throw new AttachError(`process ${found.pid} has ended.`);
    const url = await firstInspector(listeningSockets(found).filter(({ inode }) => !known.has(inode)));
    if (url !== undefined) return { url, ours: true };
    if (Date.now() > start + USUALLY_OPEN_MS && others.length > 0) {
      // One that the program itself opened, on a port of its choice.
      const theirs = await firstInspector(others);
      if (theirs !== undefined) return { url: theirs, ours: false };
      others = [];
    }
  }
  if (allListening(found).some((one) => one.port === port)) {
    throw new AttachError(
      `process ${found.pid} could not open its inspector: another process listens on port ${port}; close that one and try again.`,
    );
  }
  throw new AttachError(
    `process ${found.pid} did not open its inspector within ${OPEN_PATIENCE_MS / 1000} s: ${whyNotOpened(found)}`,
  );
}

function whyNotOpened({ flags }: ProcessFacts): string {
  if (flags.some((flag) => /^--(?:experimental-)?permission$/.test(flag))) {
    return "the permission model does not let it (--allow-inspector); start the program under heapray run.";
  }
  return "its main thread is busy in one long call, or the program has a SIGUSR1 handler of its own; try again, or start it with --inspect=127.0.0.1:0.";
}
