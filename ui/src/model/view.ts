import type { CallTree } from "./tree.js";

/** The part of the graph's width that fills the screen, as fractions of the root. */
export interface View {
  readonly start: number;
  readonly end: number;
}

export const WHOLE: View = { start: 0, end: 1 };

/** Closer than this, differences are lost in the arithmetic. */
const SMALLEST = 1e-9;

/** Just this node, edge to edge. */
export function viewOf(tree: CallTree, node: number): View {
  const whole = tree.value[0] as number;
  if (node === 0 || whole === 0) return WHOLE;
  const start = (tree.start[node] as number) / whole;
  return clampView({ start, end: start + (tree.value[node] as number) / whole });
}

/** Keeps a view inside of the graph, and wider than the arithmetic's grain. */
export function clampView(view: View): View {
  const width = Math.min(1, Math.max(SMALLEST, view.end - view.start));
  const start = Math.min(1 - width, Math.max(0, view.start));
  return { start, end: start + width };
}

/** Zooms by a factor (below 1: closer) about a point, given as a fraction of the screen. */
export function zoomAbout(view: View, at: number, factor: number): View {
  const width = Math.min(1, Math.max(SMALLEST, (view.end - view.start) * factor));
  const centre = view.start + (view.end - view.start) * at;
  return clampView({ start: centre - width * at, end: centre - width * at + width });
}

/** Moves by a fraction of the screen. */
export function pan(view: View, by: number): View {
  const width = view.end - view.start;
  return clampView({ start: view.start + width * by, end: view.end + width * by });
}

/** Moves as little as makes the node's span visible; zooms out only when it is wider than the screen. */
export function reveal(view: View, target: View): View {
  const width = view.end - view.start;
  if (target.end - target.start > width) return target;
  if (target.start < view.start) return clampView({ start: target.start, end: target.start + width });
  if (target.end > view.end) return clampView({ start: target.end - width, end: target.end });
  return view;
}

/** Between two views; zooming by equal factors in equal times, which is what looks even. */
export function interpolate(from: View, to: View, t: number): View {
  if (t >= 1) return to;
  const a = from.end - from.start;
  const b = to.end - to.start;
  const width = a * (b / a) ** t;
  // The fixed point of the zoom keeps its place on the screen; without one, slide.
  const share = Math.abs(a - b) < 1e-12 ? t : (a - width) / (a - b);
  const start = from.start + (to.start - from.start) * share;
  return { start, end: start + width };
}
