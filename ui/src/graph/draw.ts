import { visitVisible } from "../model/layout.js";
import type { Matches } from "../model/search.js";
import type { CallTree } from "../model/tree.js";
import type { View } from "../model/view.js";
import type { Palette } from "./palette.js";
import type { TextFitter } from "./text.js";

export const ROW_HEIGHT = 21;
/** Frames below this many pixels are drawn as one run. */
export const NARROWEST = 0.7;
const FONT_SIZE = 12;
export const FONT_FAMILY =
  '"Inter", "SF Pro Text", "Segoe UI", "Noto Sans", "Liberation Sans", Roboto, "Helvetica Neue", Arial, sans-serif';
export const FONT = `${FONT_SIZE}px ${FONT_FAMILY}`;
const PADDING = 6;
/** Room that a label needs before it is worth a try. */
const LABEL_ROOM = 30;

export type Orientation = "icicle" | "flame";

/** Where the levels of the graph are on the screen. */
export interface Rows {
  readonly orientation: Orientation;
  /** Height of all levels, in pixels. */
  readonly contentHeight: number;
  readonly scrollTop: number;
  readonly viewportHeight: number;
}

/** The top of a level, in pixels from the top of the screen. */
export function rowTop(rows: Rows, depth: number): number {
  const top = depth * ROW_HEIGHT;
  return (rows.orientation === "icicle" ? top : rows.contentHeight - top - ROW_HEIGHT) - rows.scrollTop;
}

/** The level at a height on the screen; may be out of range. */
export function depthAt(rows: Rows, y: number): number {
  const inContent = y + rows.scrollTop;
  return Math.floor((rows.orientation === "icicle" ? inContent : rows.contentHeight - inContent) / ROW_HEIGHT);
}

/** Texts of a frame's label. */
export interface Label {
  readonly name: string;
  /** `file:line`, or empty. */
  readonly place: string;
}

export interface Scene {
  readonly tree: CallTree;
  readonly view: View;
  readonly rows: Rows;
  readonly width: number;
  readonly palette: Palette;
  /** The fill of a node, where it is not that of its frame. */
  readonly fill?: ((node: number) => string) | undefined;
  readonly label: (frame: number) => Label;
  /** The amount printed at the right of wide frames. */
  readonly amount: (node: number) => string;
  /** Undefined when nothing is searched. */
  readonly matches: Matches | undefined;
  /** The frame zoomed to. */
  readonly zoomed: number;
  /** Size of a device pixel in CSS pixels. */
  readonly pixel: number;
  readonly hovered: number;
  readonly selected: number;
  readonly fitter: TextFitter;
}

/** How much is left of a frame that the search did not find. */
const DIMMED = 0.3;
/** How much is left of the zoomed frame's callers. */
const FADED = 0.5;

/** Draws the whole scene; `context` is scaled to CSS pixels. Gives the number of levels shown. */
export function drawScene(context: CanvasRenderingContext2D, scene: Scene): number {
  const { tree, view, rows, width, palette, matches } = scene;
  context.clearRect(0, 0, width, rows.viewportHeight);
  context.font = FONT;
  context.textBaseline = "middle";
  let deepest = 0;
  const { pixel } = scene;
  const zoomDepth = tree.depth[scene.zoomed] as number;
  const outlines: { node: number; left: number; right: number; top: number }[] = [];

  visitVisible(tree, view, width, NARROWEST, {
    frame: (node, depth, left, right) => {
      if (depth > deepest) deepest = depth;
      const top = rowTop(rows, depth);
      if (top + ROW_HEIGHT <= 0 || top >= rows.viewportHeight) return;
      // Edges on whole device pixels are sharp, and so is the gap of one pixel between neighbours.
      const x = snap(Math.max(left, -1), pixel);
      const edge = snap(Math.min(right, width + 1), pixel);
      const drawn = Math.max(pixel, edge - x - (edge - x > 4 ? 1 : edge - x > 2 * pixel ? pixel / 2 : 0));
      const frame = tree.frame[node] as number;
      const fill = scene.fill?.(node) ?? (palette.fills[frame] as string);
      const matched = matches !== undefined && matches.frames[frame] === 1;
      // What the zoomed frame was called by is still there, but no longer the subject.
      const above = depth < zoomDepth && right > width && left < 0 ? FADED : 1;
      context.globalAlpha = matched ? 1 : matches !== undefined ? DIMMED : above;
      context.fillStyle = matched ? palette.match : fill;
      context.fillRect(x, top, drawn, ROW_HEIGHT - 1);
      if (matched && drawn > 12) {
        context.fillStyle = fill;
        context.fillRect(x, top, 3, ROW_HEIGHT - 1);
      }
      if (drawn > LABEL_ROOM) {
        context.globalAlpha = matches !== undefined && !matched ? 0.75 : 1;
        drawLabel(context, scene, node, matched, x, drawn, top);
      }
      if (node === scene.hovered || node === scene.selected) outlines.push({ node, left: x, right: x + drawn, top });
    },
    rest: (depth, left, right, first, end) => {
      if (depth > deepest) deepest = depth;
      const top = rowTop(rows, depth);
      if (top + ROW_HEIGHT <= 0 || top >= rows.viewportHeight) return;
      const matched = matches !== undefined && (matches.before[end] as number) > (matches.before[first] as number);
      context.globalAlpha = matches === undefined || matched ? 1 : 0.6;
      context.fillStyle = matched ? palette.restMatch : palette.rest;
      const x = snap(Math.max(left, 0), pixel);
      context.fillRect(x, top, Math.max(pixel, snap(Math.min(right, width), pixel) - x), ROW_HEIGHT - 1);
    },
  });
  context.globalAlpha = 1;
  for (const { node, left, right, top } of outlines) {
    const selected = node === scene.selected;
    const x = Math.max(left, 0);
    const edge = Math.min(Math.max(right, x + 3), width);
    context.lineWidth = selected ? 2 : 1.25;
    context.strokeStyle = selected ? palette.selected : palette.hover;
    const inset = context.lineWidth / 2;
    context.strokeRect(x + inset, top + inset, Math.max(1, edge - x - 2 * inset), ROW_HEIGHT - 1 - 2 * inset);
  }
  return deepest + 1;
}

function snap(x: number, pixel: number): number {
  return Math.round(x / pixel) * pixel;
}

function drawLabel(
  context: CanvasRenderingContext2D,
  scene: Scene,
  node: number,
  matched: boolean,
  x: number,
  width: number,
  top: number,
): void {
  const { fitter, palette } = scene;
  const label = scene.label(scene.tree.frame[node] as number);
  // A frame that starts left of the screen keeps its label in sight.
  const left = Math.max(x, 0) + PADDING + (matched && width > 12 ? 2 : 0);
  const right = Math.min(x + width, scene.width) - PADDING + 2;
  const baseline = top + ROW_HEIGHT / 2;
  const room = right - left;
  if (room < LABEL_ROOM - PADDING) return;
  const name = fitter.fit(label.name, room);
  if (name === "") return;
  context.fillStyle = matched ? palette.matchInk : palette.ink;
  context.fillText(name, left, baseline);
  if (name !== label.name) return;

  context.fillStyle = matched ? palette.matchInkSoft : palette.inkSoft;
  let used = fitter.width(name) + 8;
  if (label.place !== "") {
    const place = fitter.fit(label.place, room - used);
    // Half a file name tells nothing.
    if (place !== label.place) return;
    context.fillText(place, left + used, baseline);
    used += fitter.width(place) + 16;
  }
  const amount = scene.amount(node);
  const amountWidth = fitter.width(amount);
  if (room - used >= amountWidth + 4) context.fillText(amount, right - 2 - amountWidth, baseline);
}
