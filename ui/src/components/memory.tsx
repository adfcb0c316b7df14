import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { languageOf } from "../../../src/capture/language.js";
import type { FlameGraphData, SnapshotTable } from "../../../src/reporters/flamegraph-data.js";
import { download, fileName } from "../download.js";
import { MemoryChart, type Reading } from "../graph/memory-chart.js";
import { formatBytesShort, formatDuration } from "../model/format.js";
import { highest } from "../model/peak.js";
import type { RangeState } from "../range-state.js";
import { theme } from "../theme.js";
import { ChevronIcon, DownloadIcon } from "./icons.js";
import { TimeRangeBar } from "./time-range-bar.js";

interface MemoryProps {
  readonly data: FlameGraphData;
  /** Where there are newer ones than the data's: the program runs, and the newest are what is wanted. */
  readonly newer?: { readonly snapshots: SnapshotTable; readonly when: string } | undefined;
  readonly time: RangeState | undefined;
}

/**
 * RSS, heap and tracked memory over the run; the numbers above the chart follow the pointer. Where there is `time`, a range
 * of it is chosen on the chart.
 */
export function MemoryOverTime({ data, newer, time }: MemoryProps) {
  const host = useRef<HTMLDivElement>(null);
  const open = useSignal(window.innerHeight >= 600);
  const reading = useSignal<Reading | undefined>(undefined);
  const snapshots = newer?.snapshots ?? data.snapshots;
  const count = snapshots.timeMs.length;
  const peak = highest(snapshots.tracked);
  const chart = useRef<MemoryChart | undefined>(undefined);
  const some = count > 0;
  const heap = hasHeap(data);
  useEffect(() => {
    const element = host.current;
    if (!element || !open.value || !some) return;
    const read = (at: Reading | undefined): void => {
      reading.value = at;
    };
    const made = new MemoryChart(element, snapshots, { peak, heap, time }, read);
    chart.current = made;
    const stop = theme.subscribe(() => made.redraw());
    return () => {
      stop();
      chart.current = undefined;
      made.dispose();
      reading.value = undefined;
    };
    // Newer snapshots are shown on the same chart.
  }, [open.value, some, reading, time, heap]);
  useEffect(() => chart.current?.show(snapshots, peak), [snapshots, peak]);
  if (count === 0) return null;

  const at = reading.value?.index;
  const usual = newer ? count - 1 : peak;
  const value = (column: Float64Array): string => formatBytesShort((column[at ?? usual] as number | undefined) ?? 0);
  // A range is chosen on it by elements with names of their own.
  const picture = time ? {} : ({ role: "img", "aria-label": summary(snapshots, peak) } as const);
  return (
    <section
      class="memory"
      aria-label="Memory over time"
      data-open={open.value}
      data-range={time && !time.isWhole ? "part" : undefined}
    >
      <div class="memory-head">
        <button
          type="button"
          class="panel-title"
          aria-expanded={open.value}
          onClick={() => {
            open.value = !open.value;
          }}
        >
          <ChevronIcon />
          <span>Memory over time</span>
        </button>
        <p class="memory-values">
          <span class="quiet">
            {at === undefined
              ? (newer?.when ?? "at the high-water mark")
              : `at ${formatDuration(snapshots.timeMs[at] ?? 0)}`}
          </span>
          <span class="key rss">RSS</span> {value(snapshots.rss)}
          <span class="key tracked">Tracked</span> {value(snapshots.tracked)}
          {heap ? (
            <>
              <span class="key heap">JS heap used</span> {value(snapshots.heapUsed)}
            </>
          ) : null}
        </p>
        <button
          type="button"
          class="icon-button"
          onClick={() => download(fileName("memory", data.metadata), "text/csv", [csv(snapshots, heap)])}
          aria-label="Download the chart as CSV"
          title="Download the chart as CSV"
        >
          <DownloadIcon />
        </button>
      </div>
      {open.value ? <div class="chart" ref={host} {...picture} /> : null}
      {time ? <TimeRangeBar time={time} /> : null}
    </section>
  );
}

/** Whether the runtime has a heap whose size it tells. */
function hasHeap({ metadata: { runtime } }: FlameGraphData): boolean {
  return languageOf(runtime) === "JavaScript";
}

/** The chart's points: milliseconds since tracking began, and bytes. */
function csv({ timeMs, rss, tracked, heapUsed }: SnapshotTable, heap: boolean): string {
  const columns = heap ? [timeMs, rss, tracked, heapUsed] : [timeMs, rss, tracked];
  const names = ["time_ms", "rss", "tracked", "heap_used"].slice(0, columns.length);
  const rows = Array.from(timeMs, (_, i) => `${columns.map((column) => column[i]).join(",")}\r\n`);
  return `${names.join(",")}\r\n${rows.join("")}`;
}

function summary(snapshots: SnapshotTable, peak: number): string {
  return `Tracked memory is highest, ${formatBytesShort(snapshots.tracked[peak] as number)}, after ${formatDuration(
    snapshots.timeMs[peak] as number,
  )}; RSS is then ${formatBytesShort(snapshots.rss[peak] as number)}.`;
}
