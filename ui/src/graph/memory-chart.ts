import uPlot from "uplot";
import type { SnapshotTable } from "../../../src/reporters/flamegraph-data.js";
import { formatBytesShort } from "../model/format.js";
import type { RangeState } from "../range-state.js";
import { FONT_FAMILY } from "./draw.js";
import { RangeBrush } from "./range-brush.js";
import "uplot/dist/uPlot.min.css";

/** The snapshot under the pointer. */
export interface Reading {
  readonly index: number;
}

/** Where the high-water mark is. */
interface Mark {
  readonly timeMs: number;
  readonly bytes: number;
}

export interface ChartOptions {
  /** The snapshot with most tracked memory. */
  readonly peak: number;
  /** Whether the runtime's heap has a curve. */
  readonly heap: boolean;
  /** Where a range of time is chosen on the chart. */
  readonly time?: RangeState | undefined;
}

const HEIGHT = 104;

/** The chart of memory over time; colours are read from the page's style at every drawing. */
export class MemoryChart {
  readonly #plot: uPlot;
  readonly #observer: ResizeObserver;
  readonly #brush: RangeBrush | undefined;
  #snapshots: SnapshotTable;
  #peak: number;
  readonly #heap: boolean;

  constructor(
    host: HTMLElement,
    snapshots: SnapshotTable,
    { peak, heap, time }: ChartOptions,
    onRead: (at: Reading | undefined) => void,
  ) {
    this.#snapshots = snapshots;
    this.#peak = peak;
    this.#heap = heap;
    const colour = (name: string) => (): string => getComputedStyle(host).getPropertyValue(name).trim();
    const mark = (): Mark => time?.mark ?? this.#mark;
    const highest = time?.tables.marks.reduce((most, bytes) => Math.max(most, bytes), 0) ?? 0;
    const axis = { stroke: colour("--text-quiet"), font: `11px ${FONT_FAMILY}`, ticks: { show: false } };
    const options: uPlot.Options = {
      width: Math.max(100, host.clientWidth),
      height: HEIGHT,
      padding: [14, 14, 0, 0],
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 } },
      scales: {
        x: { time: false, ...(time && { range: () => [0, time.edges.at(-1) as number] }) },
        y: { range: (_plot, _min, max) => [0, Math.max(1, max, highest) * 1.05] },
      },
      series: [
        {},
        { label: "RSS", stroke: colour("--rss"), width: 1.25, points: { show: false } },
        {
          label: "Tracked",
          stroke: colour("--tracked"),
          fill: colour("--tracked-fill"),
          width: 1.75,
          points: { show: false },
        },
        ...(heap ? [{ label: "JS heap used", stroke: colour("--heap"), width: 1.25, points: { show: false } }] : []),
      ],
      axes: [
        { ...axis, size: 22, gap: 4, grid: { show: false }, space: 90, values: (_plot, ticks) => ticks.map(seconds) },
        {
          ...axis,
          size: 66,
          gap: 6,
          grid: { stroke: colour("--line-soft"), width: 1 },
          splits: (_plot, _axis, _min, max) => byteSplits(max),
          values: (_plot, ticks) => ticks.map(formatBytesShort),
        },
      ],
      hooks: {
        draw: [(plot) => markPeak(plot, mark(), colour("--tracked")(), colour("--text")(), colour("--panel")())],
        setCursor: [(plot) => onRead(typeof plot.cursor.idx === "number" ? { index: plot.cursor.idx } : undefined)],
      },
    };
    this.#plot = new uPlot(options, columnsOf(snapshots, heap), host);
    this.#brush = time && new RangeBrush(this.#plot, time);
    this.#observer = new ResizeObserver(() => {
      this.#plot.setSize({ width: Math.max(100, host.clientWidth), height: HEIGHT });
      this.#brush?.place();
    });
    this.#observer.observe(host);
  }

  /** Shows snapshots that may be others. */
  show(snapshots: SnapshotTable, peak: number): void {
    if (snapshots === this.#snapshots) return;
    this.#snapshots = snapshots;
    this.#peak = peak;
    this.#plot.setData(columnsOf(snapshots, this.#heap));
  }

  redraw(): void {
    this.#plot.redraw(false, true);
  }

  get #mark(): Mark {
    const { timeMs, tracked } = this.#snapshots;
    return { timeMs: timeMs[this.#peak] as number, bytes: tracked[this.#peak] as number };
  }

  dispose(): void {
    this.#observer.disconnect();
    this.#brush?.dispose();
    this.#plot.destroy();
  }
}

function columnsOf({ timeMs, rss, tracked, heapUsed }: SnapshotTable, heap: boolean): uPlot.AlignedData {
  return [timeMs, rss, tracked, ...(heap ? [heapUsed] : [])] as unknown as uPlot.AlignedData;
}

/** Round binary numbers: 3 or 4 lines between 0 and the largest value. */
export function byteSplits(most: number): number[] {
  let step = 1;
  while (most / step > 4) step *= 2;
  const splits: number[] = [];
  for (let at = 0; at <= most; at += step) splits.push(at);
  return splits;
}

function seconds(ms: number): string {
  return ms < 1000 && ms !== 0 ? `${Math.round(ms)} ms` : `${Number((ms / 1000).toFixed(2))} s`;
}

function markPeak(plot: uPlot, { timeMs, bytes }: Mark, colour: string, ink: string, paper: string): void {
  const x = Math.round(plot.valToPos(timeMs, "x", true));
  const y = plot.valToPos(bytes, "y", true);
  const { top, left, width, height } = plot.bbox;
  const ratio = uPlot.pxRatio;
  const { ctx } = plot;
  ctx.save();
  ctx.strokeStyle = colour;
  ctx.lineWidth = ratio;
  ctx.setLineDash([3 * ratio, 3 * ratio]);
  ctx.beginPath();
  ctx.moveTo(x, top);
  ctx.lineTo(x, top + height);
  ctx.stroke();
  ctx.setLineDash([]);
  ctx.beginPath();
  ctx.arc(x, y, 3.5 * ratio, 0, 2 * Math.PI);
  ctx.fillStyle = colour;
  ctx.fill();
  ctx.lineWidth = 1.5 * ratio;
  ctx.strokeStyle = paper;
  ctx.stroke();
  const text = "high-water mark";
  ctx.font = `${11 * ratio}px ${FONT_FAMILY}`;
  ctx.textBaseline = "bottom";
  const room = ctx.measureText(text).width + 4 * ratio;
  ctx.textAlign = x + room > left + width ? "right" : "left";
  ctx.fillStyle = ink;
  ctx.fillText(text, ctx.textAlign === "left" ? x : Math.min(x, left + width), top - 2 * ratio);
  ctx.restore();
}
