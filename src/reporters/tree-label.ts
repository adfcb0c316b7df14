import path from "node:path";
import type { ElidedLocations, TreeNode } from "./allocation-tree.js";
import { count, formatSize } from "./figures.js";
import { printable } from "./terminal-text.js";

/** `5.243MB (12.34 %)`, as memray has it. */
export function sizeLabel(bytes: number, total: number): string {
  return `${formatSize(bytes)} (${total === 0 ? "0.00" : ((100 * bytes) / total).toFixed(2)} %)`;
}

/**
 * `src/app.ts:12`; without a line, the file alone.
 * @param cwd files below it are shown relative to it
 */
export function placeLabel({ file, line }: Pick<TreeNode, "file" | "line">, cwd: string): string {
  const relative = path.isAbsolute(file) ? path.relative(cwd, file) : file;
  const shown = relative === "" || relative.startsWith("..") ? file : relative;
  return printable(line === 0 ? shown : `${shown}:${line}`);
}

export function elidedLabel({ allocations, locations }: ElidedLocations): string {
  return `${count(allocations)} allocations from ${count(locations)} locations below the configured threshold`;
}
