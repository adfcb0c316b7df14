import { encodeFlameGraph } from "./flamegraph-codec.js";
import type { FlameGraphData } from "./flamegraph-data.js";
import { fillPage, readPage } from "./report-page.js";

/**
 * The page's HTML, complete and self-contained.
 * @param template the built page; see `readTemplate`
 * @throws Error when the template has no place for the title or the data
 */
export function flameGraphHtml(data: FlameGraphData, title: string, template: string): string {
  return fillPage(template, title, encodeFlameGraph(data));
}

/** @throws Error when the page was not built */
export function readTemplate(): string {
  return readPage("flamegraph");
}
