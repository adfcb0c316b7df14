import type { MemorySnapshot } from "../capture/records.js";
import type { SnapshotTable } from "./flamegraph-data.js";

/** More points than this are not told apart on a screen. */
export const MAX_SNAPSHOTS = 4000;

/**
 * The snapshots as columns, thinned to at most `limit` (4000) rows: time is cut into equal runs of snapshots, and of each run
 * the first, the one with the most tracked memory and the one with the largest RSS remain, so that no peak is lost.
 */
export function snapshotTable(snapshots: Iterable<MemorySnapshot>, limit = MAX_SNAPSHOTS): SnapshotTable {
  const rows = thin([...snapshots], limit);
  const column = (value: (row: MemorySnapshot) => number): Float64Array =>
    Float64Array.from(rows, (row) => Math.max(0, Math.round(value(row))));
  return {
    timeMs: column((row) => row.timeMs),
    rss: column((row) => row.rss),
    heapUsed: column((row) => row.heapUsed),
    tracked: column((row) => row.tracked),
  };
}

function thin(all: MemorySnapshot[], limit: number): MemorySnapshot[] {
  if (all.length <= limit) return all;
  const runs = Math.floor(limit / 3);
  const kept: MemorySnapshot[] = [];
  for (let run = 0; run < runs; run++) {
    const from = Math.floor((run * all.length) / runs);
    const to = Math.floor(((run + 1) * all.length) / runs);
    let tracked = from;
    let rss = from;
    for (let i = from; i < to; i++) {
      if ((all[i] as MemorySnapshot).tracked > (all[tracked] as MemorySnapshot).tracked) tracked = i;
      if ((all[i] as MemorySnapshot).rss > (all[rss] as MemorySnapshot).rss) rss = i;
    }
    const keep = [...new Set([from, tracked, rss])].sort((a, b) => a - b);
    for (const i of keep) kept.push(all[i] as MemorySnapshot);
  }
  return kept;
}
