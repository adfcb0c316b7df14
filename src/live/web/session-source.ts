import type { PageFigures } from "../../reporters/live-page-data.js";
import type { LiveSession } from "../live-session.js";
import type { PageSource } from "./page-server.js";

/** What a live page shows of a session. */
export function sessionSource(session: LiveSession): PageSource {
  return {
    get figures() {
      return figuresOf(session);
    },
    onChange: (listener) => session.onChange(listener),
    graph: (query) => session.pageData(query),
    flameGraph: () => session.flameGraph(),
  };
}

function figuresOf({ state, end }: LiveSession): PageFigures {
  const { liveBytes, peakBytes, totalAllocations, allocationRate, elapsedMs, behindMs, memory, warnings } = state;
  const point = memory && {
    timeMs: memory.timeMs,
    rss: memory.rss,
    heapUsed: memory.heapUsed,
    tracked: memory.tracked,
  };
  return {
    liveBytes,
    peakBytes,
    totalAllocations,
    allocationRate,
    elapsedMs,
    behindMs,
    point,
    warnings,
    end: end?.sentence,
  };
}
