import type { MemoryTimeline } from "../analysis/memory-timeline.js";
import type { Area, Canvas, Style } from "./screen.js";

export const HEAP_STYLE: Style = { color: 73 };
export const RSS_STYLE: Style = { color: 172 };

/** A braille character has two columns of four dots: the bits of each column's, from the bottom up. */
const DOTS: readonly (readonly number[])[] = [
  [0x40, 0x04, 0x02, 0x01],
  [0x80, 0x20, 0x10, 0x08],
];
const DOT_COLUMNS = 2;
const DOT_ROWS = 4;
const BLANK = 0x2800;

/**
 * Draws memory from the start until `elapsedMs`: what is live as an area, RSS as a line.
 * @returns the bytes that the area's height stands for
 */
export function paintChart(canvas: Canvas, area: Area, timeline: MemoryTimeline, elapsedMs: number): number {
  const columns = area.width * DOT_COLUMNS;
  const heap = columnsOf(timeline.timeMs, timeline.tracked, elapsedMs, columns);
  const rss = columnsOf(timeline.timeMs, timeline.rss, elapsedMs, columns);
  const highest = Math.max(1, ...heap, ...rss);
  const rows = area.height * DOT_ROWS;
  const level = (bytes: number): number => (bytes <= 0 ? 0 : Math.max(1, Math.round((bytes / highest) * rows)));
  const cells = Array.from({ length: area.height }, () => ({
    heap: new Uint8Array(area.width),
    rss: new Uint8Array(area.width),
  }));
  const dot = (kind: "heap" | "rss", column: number, height: number): void => {
    const cell = Math.floor(column / DOT_COLUMNS);
    const row = cells[area.height - 1 - Math.floor(height / DOT_ROWS)]?.[kind];
    if (row !== undefined) row[cell] = (row[cell] ?? 0) | (DOTS[column % DOT_COLUMNS]?.[height % DOT_ROWS] ?? 0);
  };
  let before = level(rss[0] ?? 0);
  for (let column = 0; column < columns; column++) {
    for (let height = level(heap[column] ?? 0) - 1; height >= 0; height--) dot("heap", column, height);
    const now = level(rss[column] ?? 0);
    // The line goes on where it jumps.
    const [low, high] = now > before ? [before + 1, now] : [now, Math.max(now, before - 1)];
    for (let height = Math.max(1, low); height <= high; height++) dot("rss", column, height - 1);
    before = now;
  }
  for (const [y, row] of cells.entries()) {
    const spans = [...row.heap].map((bits, x) => {
      const all = bits | (row.rss[x] ?? 0);
      const style = bits !== 0 ? HEAP_STYLE : RSS_STYLE;
      return all === 0 ? { text: " " } : { text: String.fromCharCode(BLANK + all), style };
    });
    canvas.row(area, y, joined(spans));
  }
  return highest;
}

/** The highest value in each of so many equal parts of the time; where a part has none, the one before it. */
function columnsOf(timeMs: Float64Array, values: Float64Array, elapsedMs: number, columns: number): Float64Array {
  const found = new Float64Array(columns);
  const span = Math.max(1, elapsedMs, timeMs.at(-1) ?? 0);
  let at = 0;
  let last = values[0] ?? 0;
  for (let column = 0; column < columns; column++) {
    const until = (span * (column + 1)) / columns;
    let highest: number | undefined;
    for (; at < timeMs.length && ((timeMs[at] as number) < until || column === columns - 1); at++) {
      last = values[at] as number;
      highest = Math.max(highest ?? 0, last);
    }
    found[column] = highest ?? last;
  }
  return found;
}

/** Neighbours of one style as one. */
function joined(spans: readonly { text: string; style?: Style }[]): { text: string; style?: Style }[] {
  const result: { text: string; style?: Style }[] = [];
  for (const span of spans) {
    const last = result.at(-1);
    if (last !== undefined && last.style === span.style) last.text += span.text;
    else result.push({ ...span });
  }
  return result;
}
