import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { encodeFlameGraph } from "./flamegraph-codec.js";
import type { FlameGraphData } from "./flamegraph-data.js";

/** What the template holds where the title and the data go. */
const TITLE_MARK = "heapray-title-goes-here";
const DATA_MARK = "heapray-data-goes-here";
const TEMPLATE = "ui/flamegraph.html";

/**
 * The page's HTML, complete and self-contained.
 * @param template the built page; see `readTemplate`
 * @throws Error when the template has no place for the title or the data
 */
export function flameGraphHtml(data: FlameGraphData, title: string, template: string): string {
  const payload = gzipSync(encodeFlameGraph(data), { level: 9 }).toString("base64");
  return fill(fill(template, TITLE_MARK, escapeHtml(title)), DATA_MARK, payload);
}

/**
 * The built page, which lies in the package's dist/ui, next to or below the folder of this module.
 * @throws Error when the page was not built
 */
export function readTemplate(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  const found = [here, join(here, ".."), join(here, "../../dist"), join(here, "../dist")]
    .map((folder) => join(folder, TEMPLATE))
    .find((path) => existsSync(path));
  if (found === undefined) {
    throw new Error(
      "the flame graph's page is not built: dist/ui/flamegraph.html is missing; run `node scripts/build-ui.mjs`",
    );
  }
  return readFileSync(found, "utf8");
}

function fill(template: string, mark: string, text: string): string {
  const at = template.indexOf(mark);
  if (at === -1) throw new Error(`the flame graph's template has no ${mark}; run \`node scripts/build-ui.mjs\``);
  return template.slice(0, at) + text + template.slice(at + mark.length);
}

function escapeHtml(text: string): string {
  const named: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
  return text.replace(/[&<>"']/g, (character) => named[character] ?? "").replace(/\p{C}/gu, "\ufffd");
}
