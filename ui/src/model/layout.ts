import type { CallTree } from "./tree.js";
import type { View } from "./view.js";

/** What `visitVisible` reports; x in pixels from the left edge of the screen. */
export interface LayoutVisitor {
  /** A frame wide enough to be drawn. */
  frame(node: number, depth: number, left: number, right: number): void;
  /** A run of siblings each too narrow to be drawn: the nodes from `first` up to, not including, `end`. */
  rest(depth: number, left: number, right: number, first: number, end: number): void;
}

/**
 * Visits what a screen of this width shows, level by level. Where siblings are sorted by size and one is too narrow, the
 * rest of them are too, and so is all below them: the cost follows the pixels, not the tree. In another order it follows
 * the siblings of what shows.
 */
export function visitVisible(
  tree: CallTree,
  view: View,
  width: number,
  narrowest: number,
  visitor: LayoutVisitor,
): void {
  const whole = tree.value[0] as number;
  if (whole === 0 || width <= 0) return;
  const scale = width / (whole * (view.end - view.start));
  const offset = whole * view.start;
  const bySize = tree.order === "size";
  let level: number[] = [0];
  visitor.frame(0, 0, -offset * scale, (whole - offset) * scale);
  for (let depth = 1; level.length > 0; depth++) {
    const below: number[] = [];
    for (const parent of level) {
      const end = tree.firstChild[parent + 1] as number;
      /** The first of the narrow siblings before the node, and its left edge. */
      let narrow = -1;
      let narrowLeft = 0;
      const endRun = (node: number, right: number): void => {
        if (narrow !== -1 && right > 0) visitor.rest(depth, narrowLeft, right, narrow, node);
        narrow = -1;
      };
      for (let node = tree.firstChild[parent] as number; node < end; node++) {
        const left = ((tree.start[node] as number) - offset) * scale;
        if (left >= width) {
          endRun(node, left);
          break;
        }
        const right = left + (tree.value[node] as number) * scale;
        if (right - left < narrowest) {
          if (!bySize) {
            if (narrow === -1) {
              narrow = node;
              narrowLeft = left;
            }
            if (node === end - 1) endRun(end, right);
            continue;
          }
          const last = end - 1;
          const edge = ((tree.start[last] as number) + (tree.value[last] as number) - offset) * scale;
          if (edge > 0) visitor.rest(depth, left, edge, node, end);
          break;
        }
        endRun(node, left);
        if (right <= 0) continue;
        visitor.frame(node, depth, left, right);
        if ((tree.firstChild[node + 1] as number) > (tree.firstChild[node] as number)) below.push(node);
      }
    }
    level = below;
  }
}

/** How many levels a screen of this width shows. */
export function visibleDepth(tree: CallTree, view: View, width: number, narrowest: number): number {
  let deepest = 0;
  visitVisible(tree, view, width, narrowest, {
    frame: (_node, depth) => {
      deepest = Math.max(deepest, depth);
    },
    rest: (depth) => {
      deepest = Math.max(deepest, depth);
    },
  });
  return deepest + 1;
}

/** The node at a level and a place, given as a fraction of the root's width; -1 when there is none. */
export function nodeAt(tree: CallTree, depth: number, place: number): number {
  if (depth < 0 || depth >= tree.levelStart.length - 1) return -1;
  const x = place * (tree.value[0] as number);
  let low = tree.levelStart[depth] as number;
  let high = (tree.levelStart[depth + 1] as number) - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((tree.start[middle] as number) <= x) low = middle;
    else high = middle - 1;
  }
  const start = tree.start[low] as number;
  return x >= start && x < start + (tree.value[low] as number) ? low : -1;
}
