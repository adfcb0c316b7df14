import type { LiveSession } from "../live/live-session.js";
import type { RunSettings } from "../tracker/run-settings.js";
import { KeptOutput } from "./kept-output.js";
import type { Launch } from "./launch.js";
import { openLiveView } from "./live-view.js";
import { endLike } from "./signals.js";
import { tell } from "./standard-error.js";
import { type ChildExit, startTracked, type TrackedChild } from "./tracked-child.js";

/** A program that was told to end and has not by then is said to be waited for; milliseconds. */
const PATIENCE_MS = 1000;
/** How long to wait for output once the program has ended; its children may have it as well. */
const OUTPUT_MS = 200;

/**
 * Runs a program and shows its memory in the terminal meanwhile. Its output is kept until the terminal is free again; it
 * reads nothing from it. Ends this process as the program ended.
 */
export async function runWatched(
  launch: Launch,
  settings: Omit<RunSettings, "parent"> & { readonly livePort: number },
): Promise<void> {
  // What goes elsewhere than to the terminal may go there.
  const tracked = startTracked(launch, settings, ["ignore", "pipe", process.stderr.isTTY ? "pipe" : 2], false);
  const output = new KeptOutput(tracked.child.stdout, tracked.child.stderr);
  const session = await connectTo(tracked, settings.livePort);
  let wasEnded = false;
  if (session !== undefined) {
    output.keep();
    let signal: NodeJS.Signals | undefined;
    try {
      signal = await openLiveView(session, {
        title: "heapray run --live",
        quitHelp: "quit, and end the program (SIGTERM)",
        howEnded: tracked.exit.then(howEnded),
      });
    } finally {
      // Also where the view broke: nobody sees the program any more.
      output.release();
      if (isRunning(tracked)) {
        wasEnded = signal === undefined;
        await endProgram(tracked, signal ?? "SIGTERM");
      }
      await session.close();
    }
  }
  const exit = await tracked.exit;
  await output.ended(OUTPUT_MS);
  // It is what `q` is for.
  if (wasEnded && exit.signal === "SIGTERM") return;
  endLike(exit);
}

/** The session; undefined where the program ended without having waited for it. */
async function connectTo({ exit }: TrackedChild, port: number): Promise<LiveSession | undefined> {
  const { LiveSession } = await import("../live/live-session.js");
  const gone = new AbortController();
  const abort = () => gone.abort();
  void exit.then(abort, abort);
  try {
    return await LiveSession.connect({ port, timeoutMs: Number.POSITIVE_INFINITY, signal: gone.signal });
  } catch (error) {
    await exit;
    if (gone.signal.aborted) return undefined;
    throw error;
  }
}

/** Ends the program with a signal, and waits for it; Ctrl-C meanwhile kills it. */
async function endProgram({ child, exit }: TrackedChild, signal: NodeJS.Signals): Promise<void> {
  const kill = () => child.kill("SIGKILL");
  process.on("SIGINT", kill);
  const saying = setTimeout(() => {
    tell(`[heapray] the program was sent ${signal} and goes on; waiting for its end (Ctrl-C kills it).\n`);
  }, PATIENCE_MS);
  child.kill(signal);
  await exit;
  clearTimeout(saying);
  process.off("SIGINT", kill);
}

function isRunning({ child }: TrackedChild): boolean {
  return child.exitCode === null && child.signalCode === null;
}

function howEnded({ code, signal }: ChildExit): string {
  return signal === null ? `the program ended with exit code ${code}.` : `the program was ended by ${signal}.`;
}
