import type { ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { constants } from "node:os";

/** Sent to this process alone, so the child has to be told. */
const FORWARDED: NodeJS.Signals[] = ["SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGALRM"];
/** Typed at a terminal, which sends them to the child as well. */
const KEYBOARD: NodeJS.Signals[] = ["SIGINT", "SIGQUIT"];

/** By which users end what this process does. */
export const INTERRUPTS: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP"];

/** Whether this process is in its terminal's foreground group, where the keyboard's signals reach parent and child. */
function inForeground(): boolean {
  try {
    // The command name, in parentheses, may hold anything; the fields after it are state, ppid, pgrp, session, tty, tpgid.
    const fields = readFileSync("/proc/self/stat", "latin1")
      .replace(/^.*\)\s/s, "")
      .split(" ");
    return fields[2] === fields[5];
  } catch {
    return false;
  }
}

/** Those that end nothing by themselves in most programs that use them. */
const TOLD: NodeJS.Signals[] = ["SIGUSR1", "SIGUSR2", "SIGALRM"];

/** A signal that is not passed on before its time. */
export interface HeldSignal {
  readonly signal: NodeJS.Signals;
  readonly until: Promise<void>;
}

/**
 * Passes signals sent to this process on to `child`: `all`, or only those that programs are told things with.
 * @returns what puts the default actions back
 */
export function forwardSignals(child: ChildProcess, all = true, held?: HeldSignal): () => void {
  const handlers = new Map<NodeJS.Signals, () => void>();
  for (const signal of all ? FORWARDED : TOLD) handlers.set(signal, () => child.kill(signal));
  for (const signal of all ? KEYBOARD : []) {
    handlers.set(signal, () => {
      if (!inForeground()) child.kill(signal);
    });
  }
  if (held !== undefined) handlers.set(held.signal, () => void held.until.then(() => child.kill(held.signal)));
  for (const [signal, handler] of handlers) process.on(signal, handler);
  return () => {
    for (const [signal, handler] of handlers) process.off(signal, handler);
  };
}

/** Ends this process as its child ended, so that whoever waits for it cannot tell them apart. */
export function endLike(exit: { code: number | null; signal: NodeJS.Signals | null }): void {
  if (exit.signal === null) {
    process.exitCode = exit.code ?? 1;
    return;
  }
  // Shells report 128 + n; it stands should the signal not end this process.
  process.exitCode = 128 + constants.signals[exit.signal];
  process.kill(process.pid, exit.signal);
}
