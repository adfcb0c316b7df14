import type { ReportMetadata } from "../../../src/reporters/flamegraph-data.js";
import type { PageFigures } from "../../../src/reporters/live-page-data.js";
import type { Fact } from "../components/header.js";
import { formatBytesShort, formatCount, formatDuration } from "../model/format.js";
import { visible } from "../model/names.js";

/** The figures of the header, most wanted first. */
export function liveFacts(figures: PageFigures, { pid, runtime, heaprayVersion }: ReportMetadata): Fact[] {
  const { liveBytes, peakBytes, totalAllocations, allocationRate, elapsedMs, point } = figures;
  return [
    ["Now", formatBytesShort(liveBytes), `${formatCount(liveBytes)} bytes held now`],
    ["Peak", formatBytesShort(peakBytes), `${formatCount(peakBytes)} bytes at the high-water mark until now`],
    ["RSS", point ? formatBytesShort(point.rss) : "…", "resident memory of the process"],
    [
      "Allocations/s",
      formatCount(allocationRate),
      `allocations in the last second, of ${formatCount(totalAllocations)} in all`,
    ],
    ["Running", formatDuration(elapsedMs), "since tracking began"],
    ["PID", String(pid), `${visible(`${runtime.name} ${runtime.version}`)}, heapray ${heaprayVersion}`],
  ];
}
