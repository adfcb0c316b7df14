import type { ResidentMemory } from "../analysis/resident-memory.js";
import { formatSize, share } from "./figures.js";
import { table } from "./text-table.js";

const PARTS = [
  ["v8HeapUsed", "v8_heap_used", "V8 heap, in use"],
  ["v8HeapUnused", "v8_heap_unused", "V8 heap, kept beyond that"],
  ["nativeLive", "native_live", "native memory, live"],
  ["allocatorOverhead", "allocator_overhead", "native memory, freed and kept by the allocator"],
  ["codeAndLibraries", "code_and_libraries", "code, libraries and other files"],
  ["stacks", "stacks", "threads' stacks"],
  ["heapray", "heapray", "heapray itself"],
  ["rest", "rest", "rest"],
] as const;

/** The parts of RSS, a line each. */
export function rssRows(memory: ResidentMemory): string[] {
  return table(PARTS.map(([part, , name]) => [formatSize(memory[part]), share(memory[part], memory.rss), name]));
}

/** `Where RSS went: 418.379MB after 8.1 s (425.100MB at most)` */
export function rssTitle({ rss, highestRss, timeMs }: ResidentMemory): string {
  const most = highestRss > rss ? ` (${formatSize(highestRss)} at most)` : "";
  return `Where RSS went: ${formatSize(rss)} after ${(timeMs / 1000).toFixed(1)} s${most}`;
}

/** The same for JSON; bytes. */
export function rssJson(memory: ResidentMemory): Record<string, number> {
  return {
    time_ms: memory.timeMs,
    rss: memory.rss,
    highest_rss: memory.highestRss,
    v8_heap_committed: memory.v8HeapCommitted,
    ...Object.fromEntries(PARTS.map(([part, key]) => [key, memory[part]])),
  };
}
