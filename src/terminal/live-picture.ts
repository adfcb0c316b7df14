import { originOf } from "../analysis/frame-origin.js";
import { languageOf } from "../capture/language.js";
import type { CaptureHeader } from "../capture/records.js";
import type { LiveLocation } from "../live/live-session.js";
import { count, formatSize, share } from "../reporters/figures.js";
import { printable } from "../reporters/terminal-text.js";
import { placeLabel } from "../reporters/tree-label.js";
import type { LiveViewState, SortKey } from "./live-state.js";
import { HEAP_STYLE, paintChart, RSS_STYLE } from "./memory-chart.js";
import { type Area, type Canvas, columnsOf, type Span, type Style } from "./screen.js";
import { shareStyle } from "./tree-picture.js";

/** What is shown that does not change. */
export interface LiveSurroundings {
  readonly title: string;
  readonly header: CaptureHeader;
  /** What `q` does. */
  readonly quitHelp: string;
}

const MINOR: Style = { dim: true };
const PLACE: Style = { color: 73, dim: true };
const HEAD: Style = { bold: true, inverse: true };
const BOLD: Style = { bold: true };
const WARNING: Style = { bold: true, color: 208 };

/** From here on there is room for a chart; rows. */
const CHART_FROM = 14;
const MOST_CHART_ROWS = 12;
/** From here on there is room for the chart's scale; columns. */
const SCALE_FROM = 50;
const SCALE_COLUMNS = 11;
/** Rows for what was done last, or how it ended. */
const MOST_NOTE_ROWS = 3;
/** More behind than this, reading is said to be late; milliseconds. */
const LATE_MS = 1000;

interface Column {
  readonly title: string;
  readonly width: number;
  readonly sort?: SortKey;
  readonly text: (row: LiveLocation, state: LiveViewState) => string;
}

const TOTAL: Column = { title: "Total", width: 11, sort: "total", text: (row) => sizeOf(row.totalBytes) };
const OWN: Column = { title: "Own", width: 11, sort: "own", text: (row) => sizeOf(row.ownBytes) };
const ALLOCATIONS: Column = {
  title: "Allocations",
  width: 14,
  sort: "allocations",
  text: (row) => count(row.totalAllocations),
};
const TOTAL_SHARE: Column = { title: "%", width: 8, text: (row, { shown }) => share(row.totalBytes, shown.bytes) };
const OWN_SHARE: Column = {
  title: "%",
  width: 8,
  text: (row, { shown }) => (row.ownBytes === 0 ? "" : share(row.ownBytes, shown.bytes)),
};

function sizeOf(bytes: number): string {
  return bytes === 0 ? "0" : formatSize(bytes);
}

/** From how many columns of the terminal on which columns of the table are shown. */
const TABLES: readonly (readonly [number, readonly Column[]])[] = [
  [80, [TOTAL, TOTAL_SHARE, OWN, OWN_SHARE, ALLOCATIONS]],
  [60, [TOTAL, OWN, ALLOCATIONS]],
];

/** Draws what a running program's memory is like on a canvas of any size. */
export function paintLive(canvas: Canvas, state: LiveViewState, around: LiveSurroundings): void {
  const { width, height } = canvas;
  const rows = new Rows(canvas);
  if (height >= 4) titleRow(canvas, rows.take(1), state, around);
  const footer: Area = { x: 0, y: height - 1, width, height: 1 };
  const last = height >= 3 ? height - 1 : height;
  if (last < height) fill(canvas, footer, keyBar(state), HEAD);
  if (state.helps) {
    paintHelp(canvas, rows.upTo(last), around);
    return;
  }
  const notes = height >= 8 ? noteRows(state, width) : [];
  const end = last - notes.length;
  for (const [i, spans] of notes.entries()) canvas.row({ x: 0, y: end, width, height: notes.length }, i, spans);
  const facts = flowed(factsOf(state), width).slice(0, height >= 12 ? 3 : height >= 8 ? 1 : 0);
  const factArea = rows.take(facts.length);
  for (const [i, spans] of facts.entries()) canvas.row(factArea, i, spans);
  if (height >= CHART_FROM) {
    const chartRows = Math.min(MOST_CHART_ROWS, Math.max(3, Math.floor(height / 4)));
    paintScaledChart(canvas, rows.take(chartRows), state);
  }
  if (height >= 10) canvas.row(rows.take(1), 0, viewSpans(state));
  paintTable(canvas, rows.upTo(end), state, around.header.cwd);
}

/** Hands out the screen's rows from the top. */
class Rows {
  readonly #canvas: Canvas;
  #next = 0;

  constructor(canvas: Canvas) {
    this.#canvas = canvas;
  }

  take(height: number): Area {
    const area = { x: 0, y: this.#next, width: this.#canvas.width, height };
    this.#next += height;
    return area;
  }

  upTo(end: number): Area {
    return { x: 0, y: this.#next, width: this.#canvas.width, height: Math.max(0, end - this.#next) };
  }
}

function titleRow(canvas: Canvas, area: Area, state: LiveViewState, { title, header }: LiveSurroundings): void {
  const right = ` ${duration(state.now.elapsedMs)} `;
  const program = printable(commandOf(header));
  fill(canvas, area, ` ${title}  pid ${header.pid}  ${program}`, HEAD);
  const width = columnsOf(right);
  if (area.width > 2 * width) fill(canvas, { ...area, x: area.width - width, width }, right, HEAD);
}

/** The command line as it would be typed: without the folders of node, and of a script below the working directory. */
function commandOf({ commandLine: [program = "", script = "", ...rest], cwd }: CaptureHeader): string {
  const name = program.slice(program.lastIndexOf("/") + 1);
  const file = script.startsWith("/") ? placeLabel({ file: script, line: 0 }, cwd) : script;
  return [name, file, ...rest].filter((word) => word !== "").join(" ");
}

function factsOf({ now }: LiveViewState): Span[][] {
  const fact = (name: string, value: string, style: Style = {}): Span[] => [
    { text: ` ${name} `, style: { ...style, ...BOLD } },
    { text: `${value} ` },
  ];
  return [
    fact("Heap", formatSize(now.liveBytes), HEAP_STYLE),
    fact("Peak", formatSize(now.peakBytes)),
    fact("RSS", now.memory === undefined ? "…" : formatSize(now.memory.rss), RSS_STYLE),
    fact("Allocations", count(now.totalAllocations)),
    fact("Per second", count(Math.round(now.allocationRate))),
  ];
}

/** Groups of spans, as many in a row as fit. */
function flowed(groups: readonly Span[][], width: number): Span[][] {
  const rows: Span[][] = [];
  let used = 0;
  for (const group of groups) {
    const columns = group.reduce((sum, { text }) => sum + columnsOf(text), 0);
    const row = rows.at(-1);
    if (row === undefined || used + columns > width) {
      rows.push([...group]);
      used = columns;
    } else {
      row.push(...group);
      used += columns;
    }
  }
  return rows;
}

function paintScaledChart(canvas: Canvas, area: Area, { now }: LiveViewState): void {
  const scale = area.width >= SCALE_FROM ? SCALE_COLUMNS : 0;
  const chart = { ...area, x: area.x + scale, width: area.width - scale - (scale > 0 ? 1 : 0) };
  const highest = paintChart(canvas, chart, now.timeline, now.elapsedMs);
  if (scale === 0) return;
  const label = (row: number, text: string): void =>
    canvas.row({ ...area, width: scale }, row, [{ text: text.padStart(scale - 1), style: MINOR }]);
  label(0, formatSize(highest));
  label(area.height - 1, "0");
}

/** Which part is shown. */
function viewSpans(state: LiveViewState): Span[] {
  const { now, thread, kind, filter, isTyping } = state;
  const threads =
    thread === undefined
      ? `${now.threads.length === 1 ? "1 thread" : `All ${now.threads.length} threads, merged`}`
      : `Thread ${thread.position + 1} of ${now.threads.length}: ${printable(thread.thread.name) || "unnamed"}, tid ${thread.thread.tid}`;
  const spans: Span[] = [{ text: ` ${threads}`, style: thread === undefined ? MINOR : BOLD }];
  spans.push({ text: `  ${kind.label}`, style: kind.allocators === undefined ? MINOR : BOLD });
  if (isTyping || filter !== "") spans.push({ text: `  /${filter}${isTyping ? "▏" : ""}`, style: BOLD });
  if (state.isPaused) spans.push({ text: "  " }, { text: " PAUSED ", style: { inverse: true, bold: true } });
  return spans;
}

function noteRows(state: LiveViewState, width: number): Span[][] {
  const { end, message, now } = state;
  const rows: Span[][] = [];
  const add = (text: string, style: Style): void => {
    for (const line of wrapped(printable(text), width - 2)) rows.push([{ text: ` ${line}`, style }]);
  };
  if (end !== undefined) add(`Remote has disconnected: ${end.sentence}`, WARNING);
  else if (now.behindMs > LATE_MS && !state.isPaused) {
    add(`The program allocates faster than this can be read: ${(now.behindMs / 1000).toFixed(1)} s behind.`, WARNING);
  }
  if (message !== "") add(message, BOLD);
  return rows.slice(0, MOST_NOTE_ROWS);
}

function paintTable(canvas: Canvas, area: Area, state: LiveViewState, cwd: string): void {
  const columns = columnsFor(area.width, state.sort);
  const numbers = columns.reduce((sum, { width }) => sum + width, 0);
  const location = Math.max(1, area.width - numbers);
  const mark = state.isReversed ? "▲" : "▼";
  const titles = columns.map(({ title, width, sort }) =>
    sort === state.sort ? `${title} ${mark}`.padStart(width) : title.padStart(width),
  );
  if (area.height >= 2) {
    fill(canvas, { ...area, height: 1 }, fitted(" Location", location) + titles.join(""), { ...BOLD, inverse: true });
  }
  const head = area.height >= 2 ? 1 : 0;
  const body: Area = { ...area, y: area.y + head, height: area.height - head };
  state.setPageRows(body.height);
  const { rows, cursor } = state;
  if (rows.length === 0 && body.height > 0) {
    const nothing = state.filter === "" ? "Nothing is held." : "Nothing that is held matches the filter.";
    const why = state.hasLocations ? nothing : "Looking for the functions' names…";
    canvas.row(body, 0, [{ text: ` ${why}`, style: MINOR }]);
    return;
  }
  const first = Math.max(0, Math.min((cursor ?? 0) - Math.floor(body.height / 2), rows.length - body.height));
  for (let i = 0; i < body.height; i++) {
    const row = rows[first + i];
    if (row === undefined) break;
    const figures = columns.map(({ text, width, sort }) =>
      figureSpan(text(row, state).padStart(width), row, state, sort),
    );
    const spans = [...locationSpans(row, location, cwd), ...figures];
    if (first + i !== cursor) canvas.row(body, i, spans);
    else
      canvas.row(
        body,
        i,
        spans.map(({ text, style }) => ({ text, style: { ...style, inverse: true, dim: false } })),
      );
  }
}

/** Sizes are coloured by what part of all they are. */
function figureSpan(text: string, row: LiveLocation, { shown, sort: by }: LiveViewState, sort?: SortKey): Span {
  if (sort === undefined || sort === "allocations" || sort !== by || shown.bytes === 0) return { text };
  return { text, style: shareStyle((sort === "own" ? row.ownBytes : row.totalBytes) / shown.bytes) };
}

function columnsFor(width: number, sort: SortKey): readonly Column[] {
  const found = TABLES.find(([from]) => width >= from);
  if (found !== undefined) return found[1];
  const other = { total: OWN, own: OWN, allocations: ALLOCATIONS }[sort];
  return width >= 36 ? [TOTAL, other] : [sort === "total" ? TOTAL : other];
}

/** The function, and its file as far as there is room: the end of its path says most. */
function locationSpans(row: LiveLocation, width: number, cwd: string): Span[] {
  const text = ` ${printable(row.function)}`;
  const columns = columnsOf(text);
  if (columns >= width) return [{ text: `${fitted(text, width - 1)} ` }];
  const room = width - columns - 3;
  const place = fittedEnd(placeLabel(row, cwd), room);
  const rest = width - columns - 2 - columnsOf(place);
  const style = originOf(row) === "program" && row.file !== "" ? BOLD : {};
  return [{ text, style }, { text: `  ${place}`, style: PLACE }, { text: " ".repeat(Math.max(0, rest)) }];
}

function paintHelp(canvas: Canvas, area: Area, { header, quitHelp }: LiveSurroundings): void {
  const python = languageOf(header.runtime) === "Python";
  const keys: readonly (readonly [string, string])[] = [
    ["↑ ↓  PgUp PgDn  Home End", "select a row, which stays selected wherever it goes; Esc lets go of it"],
    ["t, o, a", "sort by total bytes, own bytes, allocations; again: the other way round"],
    ["m", "all threads merged, or one at a time"],
    ["< >, ← →", "the thread before or after"],
    ["k", `all memory, malloc's, mappings${runtimeKind(header)}`],
    ["/", "show what contains a text; Enter keeps it, Esc clears it"],
    ["p, Space", "pause: what is shown stands still, reading goes on"],
    ["s", "save what is live, with all stacks, as a flame graph"],
    ["?", "this help"],
    ["q, Ctrl-C", quitHelp],
    ["", ""],
    ["Total", "held by the function and all that it called"],
    ["Own", `what it allocated itself, or had packages and ${python ? "Python's library" : "Node.js"} allocate`],
    ["Allocations", "how many of them, with what it called"],
  ];
  const wide = Math.max(...keys.map(([key]) => columnsOf(key)));
  for (const [i, [key, meaning]] of keys.entries()) {
    canvas.row(area, i, [{ text: ` ${key.padEnd(wide)}  `, style: BOLD }, { text: meaning }]);
  }
}

/** The kind that a runtime has beside the others. */
function runtimeKind({ runtime, options }: CaptureHeader): string {
  if (languageOf(runtime) === "JavaScript") return ", or the JavaScript heap's";
  return options.tracePythonAllocators === true ? ", or what Python's own allocator gave" : "";
}

function keyBar({ helps, isTyping, isPaused, thread }: LiveViewState): string {
  if (helps) return " any key: back  q Quit";
  if (isTyping) return " Enter Keep the filter  Esc Clear it";
  const threads = thread === undefined ? "m Unmerge threads" : "m Merge threads  < > Thread";
  return ` q Quit  ? Help  t o a Sort  p ${isPaused ? "Go on" : "Pause"}  s Save  / Filter  k Kind  ${threads}`;
}

/** `1:02:03`, `0:04.2` in the first minute */
function duration(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const two = (value: number): string => String(value).padStart(2, "0");
  if (seconds < 60) return `${(Math.floor(ms / 100) / 10).toFixed(1)} s`;
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

function fill(canvas: Canvas, area: Area, text: string, style: Style): void {
  canvas.row(area, 0, [{ text: text + " ".repeat(area.width), style }]);
}

/** Exactly so many columns: cut off with an ellipsis, or padded. */
function fitted(text: string, width: number): string {
  let shown = "";
  let columns = 0;
  const whole = columnsOf(text) <= width;
  for (const character of text) {
    const wide = columnsOf(character);
    if (columns + wide > (whole ? width : width - 1)) break;
    shown += character;
    columns += wide;
  }
  if (!whole && width > 0) {
    shown += "…";
    columns++;
  }
  return shown + " ".repeat(Math.max(0, width - columns));
}

/** The text's end, at most so many columns of it. */
function fittedEnd(text: string, width: number): string {
  if (columnsOf(text) <= width) return text;
  if (width < 4) return "";
  const characters = [...text];
  let columns = 1;
  let from = characters.length;
  for (; from > 0; from--) {
    const wide = columnsOf(characters[from - 1] as string);
    if (columns + wide > width) break;
    columns += wide;
  }
  return `…${characters.slice(from).join("")}`;
}

function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && columnsOf(line) + 1 + columnsOf(word) > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}
