import type { ResidentMemory } from "../analysis/resident-memory.js";
import type { ModuleTotal, Statistics } from "../analysis/statistics.js";
import { languageOf } from "../capture/language.js";
import type { Metadata } from "../capture/records.js";
import { count, formatSize } from "./figures.js";
import type { Paint } from "./paint.js";
import { placeOf, programLines } from "./program-lines.js";
import { allocatorName } from "./stats-json.js";
import { rssRows, rssTitle } from "./stats-rss.js";
import { printable } from "./terminal-text.js";
import { table } from "./text-table.js";

/** Characters of the longest bar. */
const LONGEST_BAR = 25;

export interface StatsTextOptions {
  /** Where RSS went, where that is known. */
  readonly resident?: ResidentMemory | undefined;
  /** Files below it are shown relative to it. */
  readonly cwd: string;
  readonly paint: Paint;
}

/** Statistics as text for a terminal, ending with a newline. */
export function statsText(statistics: Statistics, metadata: Metadata, options: StatsTextOptions): string {
  const { resident, cwd, paint } = options;
  const [command = "", ...process] = programLines(metadata, cwd);
  const totals = [
    ["Total allocations", count(statistics.totalNumAllocations)],
    ["Total memory allocated", formatSize(statistics.totalMemoryAllocated)],
    ["Peak memory usage", formatSize(statistics.peakMemoryAllocated)],
  ] as const;
  const wide = Math.max(...totals.map(([, figure]) => figure.length));
  const lines = [
    paint.title(command),
    ...process.map(paint.minor),
    "",
    ...totals.map(([name, figure]) => `${paint.title(name.padEnd(24))}${figure.padStart(wide)}`),
    ...(resident === undefined
      ? []
      : ["", paint.title(rssTitle(resident)), ...rssRows(resident, languageOf(metadata.runtime))]),
    "",
    paint.title("Histogram of allocation size"),
    ...histogram(statistics, paint),
  ];
  if (statistics.totalNumAllocations === 0) return `${lines.join("\n")}\n`;
  const section = (title: string, rows: readonly (readonly string[])[]) =>
    lines.push("", paint.title(title), ...table(rows));
  const largest = statistics.topLocationsBySize.length;
  section(
    "Allocator type distribution",
    [...statistics.allocationCountByAllocator].map(([allocator, n]) => [count(n), allocatorName(allocator)]),
  );
  section(
    `Top ${largest} largest allocating locations (by size)`,
    statistics.topLocationsBySize.map((total) => [formatSize(total.size), placeOf(total, cwd)]),
  );
  section(
    `Top ${largest} largest allocating locations (by number of allocations)`,
    statistics.topLocationsByCount.map((total) => [count(total.nAllocations), placeOf(total, cwd)]),
  );
  const modules = statistics.topModulesByAllocationSize.length;
  section(`Top ${modules} allocating modules (by size)`, statistics.topModulesByAllocationSize.map(moduleRow));
  section(
    `Top ${modules} allocating modules (by number of allocations)`,
    statistics.topModulesByAllocationCount.map(moduleRow),
  );
  return `${lines.join("\n")}\n`;
}

function moduleRow({ module, size, nAllocations }: ModuleTotal): string[] {
  return [formatSize(size), `${count(nAllocations)} allocations`, printable(module)];
}

function histogram({ allocationSizeHistogram: bins, allocationCountBySize }: Statistics, paint: Paint): string[] {
  if (bins.length === 0) return ["  Nothing was allocated."];
  const sizes = [...allocationCountBySize.keys()];
  const most = Math.max(...bins.map((bin) => bin.count));
  const rows = bins.map(({ maxBytes, count: n }, i) => {
    const isLast = i === bins.length - 1;
    return {
      end: `${isLast ? "<=" : "< "}${formatSize(isLast ? maxBytes : maxBytes + 1)}`,
      n: count(n),
      bar: "▇".repeat(Math.ceil((n / most) * LONGEST_BAR)),
    };
  });
  const endWidth = Math.max(...rows.map(({ end }) => end.length));
  const countWidth = Math.max(...rows.map(({ n }) => n.length));
  const rule = paint.minor(`  ${"-".repeat(endWidth + countWidth + LONGEST_BAR + 3)}`);
  return [
    `  min: ${formatSize(sizes[0] ?? 0)}`,
    rule,
    ...rows.map(({ end, n, bar }) =>
      `  ${end.padEnd(endWidth)}: ${n.padStart(countWidth)} ${paint.bar(bar)}`.trimEnd(),
    ),
    rule,
    `  max: ${formatSize(sizes.at(-1) ?? 0)}`,
  ];
}
