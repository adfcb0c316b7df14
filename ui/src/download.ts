import { scriptOf } from "../../src/capture/command-line.js";
import type { ReportMetadata } from "../../src/reporters/flamegraph-data.js";

/** Hands a file made of these texts to the browser's downloads. Nothing leaves the machine. */
export function download(name: string, type: string, pieces: Iterable<string | Blob>): void {
  const url = URL.createObjectURL(new Blob([...pieces], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The browser has the file's data once the click was handled.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** Puts text on the clipboard; browsers that refuse that to a page from a file take it from a selection. */
export async function copyText(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "unseen";
    document.body.append(area);
    const focused = document.activeElement;
    area.select();
    const copied = document.execCommand("copy");
    area.remove();
    if (focused instanceof HTMLElement) focused.focus();
    if (!copied) throw new Error("this browser lets the page copy nothing");
  }
}

/** A file's name beside that of the report: `heapray-<what>-<script>.<pid>.csv`. */
export function fileName(what: string, metadata: ReportMetadata, extension = "csv"): string {
  const { commandLine, pid } = metadata;
  const script =
    (scriptOf(metadata) ?? commandLine[0] ?? "")
      .split("/")
      .at(-1)
      ?.replace(/[^\w.-]+/g, "_") || "program";
  return `heapray-${what}-${script}.${pid}.${extension}`;
}
