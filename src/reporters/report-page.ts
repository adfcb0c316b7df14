import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { scriptOf } from "../capture/command-line.js";
import type { Metadata } from "../capture/records.js";
import { type Disclosure, EVERYTHING } from "./confidential-files.js";
import type { ReportKind, ReportMetadata } from "./flamegraph-data.js";

/** What the templates hold where the title and the data go. */
const TITLE_MARK = "heapray-title-goes-here";
const DATA_MARK = "heapray-data-goes-here";

const TITLES: Readonly<Record<ReportKind, string>> = {
  "high-water-mark": "high-water mark",
  leaks: "leaks",
  temporary: "temporary allocations",
  live: "live memory",
};

/** The pages that are built into dist/ui. */
export type PageName = "flamegraph" | "table" | "live";

/**
 * The page's HTML, complete and self-contained.
 * @param data what the page unpacks
 * @param template the built page; see `readPage`
 * @param level of gzip
 * @throws Error when the template has no place for the title or the data
 */
export function fillPage(template: string, title: string, data: Uint8Array, level = 9): string {
  return fillPacked(template, title, gzipSync(data, { level }));
}

/**
 * The same, of data that is gzipped already.
 * @throws Error when the template has no place for the title or the data
 */
export function fillPacked(template: string, title: string, gzipped: Buffer): string {
  return fill(fill(template, TITLE_MARK, escapeHtml(title)), DATA_MARK, gzipped.toString("base64"));
}

/**
 * The built page, which lies in the package's dist/ui, next to or below the folder of this module.
 * @throws Error when the page was not built
 */
export function readPage(name: PageName): string {
  const here = dirname(fileURLToPath(import.meta.url));
  const found = [here, join(here, ".."), join(here, "../../dist"), join(here, "../dist")]
    .map((folder) => join(folder, "ui", `${name}.html`))
    .find((path) => existsSync(path));
  if (found === undefined) {
    throw new Error(
      `the report's page is not built: dist/ui/${name}.html is missing; run \`node scripts/build-ui.mjs\``,
    );
  }
  return readFileSync(found, "utf8");
}

/** What the browser's tab says: the kind of report, unless it is of another subject. */
export function pageTitle(
  metadata: Pick<Metadata, "commandLine" | "runtime">,
  kind: ReportKind,
  subject: string = TITLES[kind],
): string {
  const script = basename(scriptOf(metadata) ?? metadata.commandLine[0] ?? "");
  return `${script} · ${subject} · heapray`;
}

/** What a page shows of the capture's metadata. */
export function pageMetadata(metadata: Metadata, disclosure: Disclosure = EVERYTHING): ReportMetadata {
  return disclosure.metadata({
    pid: metadata.pid,
    commandLine: metadata.commandLine,
    cwd: metadata.cwd,
    runtime: { name: metadata.runtime.name, version: metadata.runtime.version },
    startTimeMs: metadata.startTimeMs,
    endTimeMs: metadata.endTimeMs,
    complete: metadata.complete,
    totalAllocations: metadata.totalAllocations,
    peakMemory: metadata.peakMemory,
    heaprayVersion: metadata.heaprayVersion,
  });
}

function fill(template: string, mark: string, text: string): string {
  const at = template.indexOf(mark);
  if (at === -1) throw new Error(`the report's template has no ${mark}; run \`node scripts/build-ui.mjs\``);
  return template.slice(0, at) + text + template.slice(at + mark.length);
}

function escapeHtml(text: string): string {
  const named: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
  return text.replace(/[&<>"']/g, (character) => named[character] ?? "").replace(/\p{C}/gu, "\ufffd");
}
