import { readFileSync } from "node:fs";
import { constants } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import type { CaptureEnd } from "../capture/capture-source.js";
import type { LiveEnd } from "./messages.js";

/** How long a process may take from closing its connections to being gone, milliseconds. */
const DYING_MS = 500;
const LOOK_MS = 20;

/**
 * What became of a program whose connection has ended.
 * @param end what it told at the end, if it did
 */
export async function endOf(end: CaptureEnd | undefined, pid: number, host: string): Promise<LiveEnd> {
  if (end !== undefined) return toldEnd(end);
  if (!isThisMachine(host)) {
    const sentence = "the connection ended; the program was killed, or it gave up on this reader.";
    return { how: "disconnected", sentence };
  }
  for (const deadline = Date.now() + DYING_MS; isRunning(pid) && Date.now() < deadline; ) await sleep(LOOK_MS);
  if (!isRunning(pid)) return { how: "killed", sentence: "the program was killed." };
  const sentence =
    "the program allocates faster than this can be read; it gave up sending, and goes on untracked. Shown is what was read.";
  return { how: "too-slow", sentence };
}

function toldEnd({ reason, signal }: CaptureEnd): LiveEnd {
  if (reason === "stop") return { how: "stopped", sentence: "tracking was stopped, and the program goes on." };
  if (reason !== "signal") return { how: "exited", sentence: "the program ended." };
  const name = Object.entries(constants.signals).find(([, number]) => number === signal)?.[0];
  return { how: "signal", sentence: `the program ended by ${name ?? `signal ${signal}`}.` };
}

function isThisMachine(host: string): boolean {
  return host === "localhost" || host === "::1" || host.startsWith("127.");
}

/** Whether the process is there, and more than the entry that its parent has not taken away yet. */
function isRunning(pid: number): boolean {
  try {
    const [state] = readFileSync(`/proc/${pid}/stat`, "latin1").replace(/^.*\)\s/s, "");
    return state !== "Z" && state !== "X";
  } catch {
    return false;
  }
}
