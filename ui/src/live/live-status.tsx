import { formatDuration } from "../model/format.js";
import type { LiveState } from "./live-state.js";

/** How far reading may be behind before it is told, milliseconds. */
const BEHIND_MS = 2000;

/** Whether what is shown goes on, and why not. */
export function LiveStatus({ live }: { live: LiveState }) {
  const { kind, text } = statusOf(live);
  return (
    <span class="live-status" data-kind={kind} role="status" title={text}>
      {text}
    </span>
  );
}

function statusOf(live: LiveState): { kind: string; text: string } {
  const { end, elapsedMs, behindMs } = live.figures.value;
  const connection = live.connection.value;
  if (live.paused.value) {
    const gone = connection === "ended" ? "; the program is gone meanwhile" : "";
    return { kind: "paused", text: `Paused at ${formatDuration(elapsedMs)}${gone}` };
  }
  if (connection === "ended")
    return { kind: "ended", text: `Remote has disconnected: ${end ?? "the program is gone."}` };
  if (connection === "lost") return { kind: "lost", text: "heapray does not answer any more; shown is what it told" };
  if (behindMs > BEHIND_MS) return { kind: "behind", text: `Live, ${formatDuration(behindMs)} behind the program` };
  return { kind: "live", text: "Live: what is held now" };
}
