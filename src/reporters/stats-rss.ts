import type { ResidentMemory } from "../analysis/resident-memory.js";
import type { Language } from "../capture/language.js";
import { formatSize, share } from "./figures.js";
import { table } from "./text-table.js";

type Part = readonly [part: keyof ResidentMemory, key: string, name: string];

/** Of Node.js alone. */
const V8_PARTS: readonly Part[] = [
  ["v8HeapUsed", "v8_heap_used", "V8 heap, in use"],
  ["v8HeapUnused", "v8_heap_unused", "V8 heap, kept beyond that"],
];
const OTHER_PARTS: readonly Part[] = [
  ["codeAndLibraries", "code_and_libraries", "code, libraries and other files"],
  ["stacks", "stacks", "threads' stacks"],
  ["heapray", "heapray", "heapray itself"],
  ["rest", "rest", "rest"],
];
const PARTS: Readonly<Record<Language, readonly Part[]>> = {
  JavaScript: [
    ...V8_PARTS,
    ["nativeLive", "native_live", "native memory, live"],
    ["allocatorOverhead", "allocator_overhead", "native memory, freed and kept by the allocator"],
    ...OTHER_PARTS,
  ],
  // Python's objects lie in mappings and in malloc's blocks, like all else.
  Python: [
    ["nativeLive", "native_live", "live memory, Python's arenas included"],
    ["allocatorOverhead", "allocator_overhead", "freed and kept by malloc"],
    ...OTHER_PARTS,
  ],
};

/** The parts of RSS, a line each. */
export function rssRows(memory: ResidentMemory, language: Language): string[] {
  return table(
    PARTS[language].map(([part, , name]) => [formatSize(memory[part]), share(memory[part], memory.rss), name]),
  );
}

/** `Where RSS went: 418.379MB after 8.1 s (425.100MB at most)` */
export function rssTitle({ rss, highestRss, timeMs }: ResidentMemory): string {
  const most = highestRss > rss ? ` (${formatSize(highestRss)} at most)` : "";
  return `Where RSS went: ${formatSize(rss)} after ${(timeMs / 1000).toFixed(1)} s${most}`;
}

/** The same for JSON; bytes. */
export function rssJson(memory: ResidentMemory, language: Language): Record<string, number> {
  return {
    time_ms: memory.timeMs,
    rss: memory.rss,
    highest_rss: memory.highestRss,
    ...(language === "JavaScript" && { v8_heap_committed: memory.v8HeapCommitted }),
    ...Object.fromEntries(PARTS[language].map(([part, key]) => [key, memory[part]])),
  };
}
