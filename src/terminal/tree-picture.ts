import { count, formatSize } from "../reporters/figures.js";
import { printable } from "../reporters/terminal-text.js";
import { elidedLabel, placeLabel, sizeLabel } from "../reporters/tree-label.js";
import type { Area, Canvas, Span, Style } from "./screen.js";
import type { SourceCode } from "./source-code.js";
import type { TreeRow, TreeState } from "./tree-state.js";

export interface TreeSurroundings {
  /** What is shown, for the first row. */
  readonly title: string;
  /** Files below it are shown relative to it. */
  readonly cwd: string;
  readonly source: SourceCode;
}

/** From here on there is room for the details beside the tree; columns. */
const WIDE = 80;
/** From here on there is room for them below the tree; rows. */
const HIGH = 20;
/** Rows that say what the selected frame is. */
const FACT_ROWS = 5;
const MOST_DETAIL_COLUMNS = 100;
const INDENT = 2;

const MINOR: Style = { dim: true };
const PLACE: Style = { color: 73, dim: true };
const HEAD: Style = { bold: true, inverse: true };
const SELECTED: Style = { inverse: true };

const KEYS: readonly (readonly [string, string])[] = [
  ["↑ ↓  PgUp PgDn  Home End", "move"],
  ["Enter, Space", "expand or collapse"],
  ["→", "expand, or go to the first below"],
  ["←", "collapse, or go to the caller"],
  ["e", "expand the linear group: down to where there is more than one way"],
  ["i", "hide or show the import system: what loads modules, and what that called"],
  ["u", "show or hide the uninteresting: frames that only call others"],
  ["?", "this help"],
  ["q, Ctrl-C", "quit"],
];

/** Draws the tree, the selected frame's details and the keys on a canvas of any size. */
export function paintTree(canvas: Canvas, state: TreeState, around: TreeSurroundings): void {
  const { width, height } = canvas;
  const footer = height >= 3 ? 1 : 0;
  const header = height >= 6 ? 1 : 0;
  const body = { x: 0, y: header, width, height: height - header - footer };
  if (header > 0) fill(canvas, { x: 0, y: 0, width, height: 1 }, ` ${printable(around.title)}`, HEAD);
  if (state.helps) {
    paintHelp(canvas, body);
  } else {
    const { tree, details } = shares(body);
    state.setPageRows(tree.height);
    paintRows(canvas, tree, state, around.cwd);
    if (details !== undefined) paintDetails(canvas, details, state, around);
  }
  if (footer > 0) fill(canvas, { x: 0, y: height - 1, width, height: 1 }, keyBar(state), HEAD);
}

/** What of the body is for what. */
function shares(body: Area): { tree: Area; details?: Area } {
  const { x, y, width, height } = body;
  if (width >= WIDE && height > FACT_ROWS) {
    const columns = Math.min(MOST_DETAIL_COLUMNS, Math.floor(width * 0.4));
    const tree = { x, y, width: width - columns - 1, height };
    return { tree, details: { x: x + width - columns, y, width: columns, height } };
  }
  if (height >= HIGH) {
    const rows = Math.floor(height * 0.45);
    return {
      tree: { x, y, width, height: height - rows - 1 },
      details: { x, y: y + height - rows, width, height: rows },
    };
  }
  return { tree: body };
}

function keyBar({ filter, helps }: TreeState): string {
  if (helps) return " any key: back to the tree  q Quit";
  const uninteresting = filter.hidesUninteresting ? "Show" : "Hide";
  const importSystem = filter.hidesImportSystem ? "Show" : "Hide";
  return ` q Quit  i ${importSystem} import system  u ${uninteresting} uninteresting  e Expand linear group  ? Help`;
}

function paintHelp(canvas: Canvas, area: Area): void {
  const wide = Math.max(...KEYS.map(([keys]) => keys.length));
  for (const [i, [keys, meaning]] of KEYS.entries()) {
    canvas.row(area, i, [{ text: ` ${keys.padEnd(wide)}  `, style: { bold: true } }, { text: meaning }]);
  }
}

function paintRows(canvas: Canvas, area: Area, state: TreeState, cwd: string): void {
  const { rows, cursor, selected } = state;
  // The selected row stays in the middle, so that what calls and what is called can be seen; so does where its text begins.
  const first = Math.max(0, Math.min(cursor - Math.floor(area.height / 2), rows.length - area.height));
  const from = Math.max(0, selected.level * INDENT - Math.floor(area.width / 3));
  for (let i = 0; i < area.height; i++) {
    const row = rows[first + i];
    if (row === undefined) break;
    const spans = rowSpans(row, state, cwd);
    if (row === selected) {
      // Over the whole width.
      const all = [...spans, { text: " ".repeat(area.width + from) }];
      canvas.row(
        area,
        i,
        all.map(({ text, style }) => ({ text, style: { ...style, ...SELECTED, dim: false } })),
        from,
      );
    } else {
      canvas.row(area, i, spans, from);
    }
  }
}

function rowSpans(row: TreeRow, state: TreeState, cwd: string): Span[] {
  const { node } = row;
  const spans: Span[] = [{ text: guides(row), style: MINOR }];
  if (node === undefined) {
    const { elided, total } = state;
    spans.push({ text: "? " }, { text: `${sizeLabel(elided.bytes, total)} `, style: shareStyle(elided.bytes / total) });
    return [...spans, { text: elidedLabel(elided) }];
  }
  if (node.allocations === 0) return [{ text: "<No allocations>" }];
  const mark = !state.canExpand(node) ? "• " : state.isExpanded(node) ? "▾ " : "▸ ";
  const place = placeLabel(node, cwd);
  spans.push(
    { text: mark },
    { text: `${sizeLabel(node.bytes, state.total)} `, style: shareStyle(node.bytes / state.total) },
    { text: printable(node.function), style: { bold: true } },
  );
  return place === "" ? spans : [...spans, { text: `  ${place}`, style: PLACE }];
}

/** The lines from a row to those that it is below. */
function guides(row: TreeRow): string {
  const parts: string[] = [];
  if (row.level > 0) parts.push(row.isLast ? "└ " : "├ ");
  for (let up = row.parent; up !== undefined && up.level > 0; up = up.parent) parts.push(up.isLast ? "  " : "│ ");
  return parts.reverse().join("");
}

/** From green to red, as memray's. */
export function shareStyle(share: number): Style {
  if (share < 0.15) return { color: 70 };
  if (share < 0.3) return { color: 142 };
  if (share < 0.5) return { color: 172 };
  return share < 0.8 ? { color: 208 } : { color: 167 };
}

function paintDetails(canvas: Canvas, area: Area, state: TreeState, { cwd, source }: TreeSurroundings): void {
  const beside = area.x > 0;
  if (beside) {
    const edge = { x: area.x - 1, y: area.y, width: 1, height: area.height };
    for (let i = 0; i < area.height; i++) canvas.row(edge, i, [{ text: "│", style: MINOR }]);
  } else {
    fill(canvas, { x: 0, y: area.y - 1, width: area.width, height: 1 }, "─".repeat(area.width), MINOR);
  }
  const facts = detailRows(state, cwd, area.width);
  const code: Area = { ...area, height: Math.max(0, area.height - facts.length - 1) };
  paintSource(canvas, code, state.selected, source);
  const below: Area = { ...area, y: area.y + area.height - facts.length, height: facts.length };
  if (code.height > 0) {
    canvas.row({ ...area, y: below.y - 1, height: 1 }, 0, [{ text: "─".repeat(area.width), style: MINOR }]);
  }
  for (const [i, spans] of facts.entries()) canvas.row(below, i, spans);
}

function detailRows({ selected, elided, biggest, total }: TreeState, cwd: string, width: number): Span[][] {
  const { node } = selected;
  const fact = (name: string, text: string): Span[] => [
    { text: ` ${name.padEnd(12)}`, style: { bold: true } },
    { text },
  ];
  const size = (bytes: number, allocations: number) => [
    fact("Allocations", count(allocations)),
    fact("Size", `${formatSize(bytes)} of ${formatSize(total)}`),
  ];
  if (node === undefined) {
    const why =
      `Only the ${count(biggest)} biggest allocation locations are in the tree. ` +
      "The others are added up here; a larger --biggest-allocs shows more of them.";
    return [
      ...wrapped(why, width - 2).map((text) => [{ text: ` ${text}` }]),
      ...size(elided.bytes, elided.allocations),
    ];
  }
  if (node.parent === undefined) return size(node.bytes, node.allocations);
  const place = placeLabel(node, cwd);
  return [
    fact("Function", printable(node.function)),
    ...(place === "" ? [] : [fact("Location", place)]),
    ...size(node.bytes, node.allocations),
    fact("Thread", printable(node.thread)),
  ];
}

/** The lines around the frame's, which stands in the middle. */
function paintSource(canvas: Canvas, area: Area, { node }: TreeRow, source: SourceCode): void {
  if (node === undefined || node.line === 0 || area.height === 0) return;
  const first = Math.max(1, node.line - Math.floor((area.height - 1) / 2));
  const digits = String(first + area.height).length;
  if (source.line(node.file, node.line) === undefined) {
    canvas.row(area, 0, [{ text: " The source is not on this machine.", style: MINOR }]);
    return;
  }
  for (let i = 0; i < area.height; i++) {
    const line = first + i;
    const spans = source.line(node.file, line);
    if (spans === undefined) break;
    const number = { text: ` ${String(line).padStart(digits)} `, style: MINOR };
    if (line === node.line) {
      const rest = { text: " ".repeat(area.width), style: SELECTED };
      const shown = spans.map(({ text, style }) => ({ text, style: { ...style, ...SELECTED, dim: false } }));
      canvas.row(area, i, [{ text: number.text, style: { bold: true } }, ...shown, rest]);
    } else {
      canvas.row(area, i, [number, ...spans]);
    }
  }
}

function fill(canvas: Canvas, area: Area, text: string, style: Style): void {
  canvas.row(area, 0, [{ text: text + " ".repeat(area.width), style }]);
}

function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}
