// A server that nobody asks for anything: what it uses of the processor, tracked and untracked, at the same time.
import { setTimeout as sleep } from "node:timers/promises";
import { subfolder } from "../root.mjs";
import { RunningServer } from "./running-server.mjs";
import { wayNamed } from "./ways.mjs";

/** Start-up work is over by then, and the collection that V8 makes some eight seconds later. */
const SETTLE_MS = 12_000;
const SECONDS = 10;
const SHORT = { settleMs: 1_000, seconds: 2 };
/** An hour: no snapshot but the first and the last. */
const SELDOM = ["--memory-interval-ms", "3600000"];

/** @param {import("../benchmarks.mjs").Context} context */
export async function idleServer({ settings, folder, results, progress }) {
  const settleMs = settings.short ? SHORT.settleMs : SETTLE_MS;
  const seconds = settings.short ? SHORT.seconds : SECONDS;
  const tracked = wayNamed("tracked");
  const commands = {
    untracked: wayNamed("untracked").command(settings.node, folder),
    tracked: tracked.command(settings.node, folder),
    "tracked, without snapshots": [...tracked.command(settings.node, subfolder(folder, "seldom")), ...SELDOM],
    aggregated: wayNamed("aggregate").command(settings.node, subfolder(folder, "aggregated")),
  };
  progress.start("recording: an idle server");
  /** @type {Map<string, RunningServer>} */
  const running = new Map();
  try {
    for (const [name, command] of Object.entries(commands)) {
      running.set(name, await RunningServer.start(/** @type {[string, ...string[]]} */ (command)));
    }
    await sleep(settleMs);
    const before = new Map([...running].map(([name, server]) => [name, server.cpuMs]));
    await sleep(seconds * 1000);
    const used = [...running].map(([name, server]) => {
      return { name, cpuMsPerSecond: (server.cpuMs - (before.get(name) ?? 0)) / seconds };
    });
    const untracked = used[0]?.cpuMsPerSecond ?? Number.NaN;
    results.add(
      {
        caption: `Recording: an idle server (${seconds} s)`,
        columns: ["", "CPU ms a second", "on top"],
        rows: used.map(({ name, cpuMsPerSecond }) => [
          name,
          cpuMsPerSecond.toFixed(2),
          name === "untracked" ? "" : (cpuMsPerSecond - untracked).toFixed(2),
        ]),
        notes: ["A thousand ms a second are one core. Goal: no measurable time beyond the snapshots."],
      },
      used,
    );
  } finally {
    for (const server of running.values()) await server.stop();
    progress.stop();
  }
}
