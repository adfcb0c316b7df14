import type { LiveSession } from "../live/live-session.js";
import { type AttachOptions, checkRuntime, settingsFor } from "./attach-options.js";
import { CliError } from "./errors.js";
import { livePort } from "./live-port.js";
import { checkTerminal, openLiveView } from "./live-view.js";
import { checkWebPort, showLivePage } from "./live-web.js";
import { endLike, INTERRUPTS } from "./signals.js";

const CONNECT_MS = 10_000;

/** Shows the process's memory, in the terminal or in the browser, until the user quits; then it is tracked no longer. */
export async function attachLive(pid: number, options: AttachOptions): Promise<void> {
  if (options.web && options.webPort !== undefined) await checkWebPort(options.webPort);
  if (!options.web) checkTerminal();
  const session = await connectTo(pid, options);
  if (options.web) return showLivePage(session, options, () => letGo(pid, session));
  const quitHelp = "quit; the program goes on, and is tracked no longer";
  const title = `heapray attach ${pid}`;
  const signal = await openLiveView(session, { title, quitHelp }).finally(() => letGo(pid, session));
  if (signal !== undefined) endLike({ code: null, signal });
}

/**
 * Has the process listen for this one, and connects to it.
 * @throws {AttachError}
 */
async function connectTo(pid: number, options: AttachOptions): Promise<LiveSession> {
  const { withTarget } = await import("../attach/target.js");
  const { LiveSession } = await import("../live/live-session.js");
  const interrupt = new AbortController();
  const onInterrupt = () => interrupt.abort(new CliError("interrupted: nothing is tracked."));
  for (const signal of INTERRUPTS) process.on(signal, onInterrupt);
  try {
    return await withTarget(
      pid,
      async (target) => {
        checkRuntime(target.runtime, options);
        await target.check();
        interrupt.signal.throwIfAborted();
        const port = await livePort();
        const failed = new AbortController();
        const signal = AbortSignal.any([interrupt.signal, failed.signal]);
        const connecting = LiveSession.connect({ port, timeoutMs: CONNECT_MS, signal });
        try {
          await target.start(settingsFor({ port, user: process.geteuid?.() ?? 0 }, options), connecting);
          return await connecting;
        } catch (error) {
          failed.abort();
          // It may have connected all the same.
          await connecting.then(
            (session) => session.close(),
            () => {},
          );
          throw error;
        }
      },
      interrupt.signal,
    );
  } finally {
    for (const signal of INTERRUPTS) process.off(signal, onInterrupt);
  }
}

/** Ends tracking, which may have ended by itself, and the connection. */
async function letGo(pid: number, session: LiveSession): Promise<void> {
  const { withTarget } = await import("../attach/target.js");
  if (session.end === undefined) {
    // Where it cannot be asked, the end of the connection ends tracking.
    await withTarget(pid, (target) => target.stop()).catch(() => {});
  }
  await session.close();
}
