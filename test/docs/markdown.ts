import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { root } from "../support/heapray.js";

/** The documents, by their path from the project's root. */
export function documents(): string[] {
  const below = (folder: string) =>
    readdirSync(path.join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".md") && !file.includes("node_modules"))
      .map((file) => path.join(folder, file));
  return ["README.md", ...below("docs"), ...below("examples")].sort();
}

/** A document without its code, in which nothing is a link or a heading. */
export function proseOf(document: string): string {
  const text = readFileSync(path.join(root, document), "utf8");
  return text.replace(/^```.*?^```$/gms, "").replace(/^ {4}.*$/gm, "");
}

/** Where the document's links and pictures lead, other than to the web. */
export function linksOf(prose: string): string[] {
  const links = [...prose.matchAll(/\]\(([^)\s]+)\)|(?:href|src|srcset)="([^"]+)"/g)].map(([, a, b]) => a ?? b ?? "");
  return links.filter((link) => !/^[a-z]+:/.test(link));
}

/** The names that headings can be reached by, as GitHub makes them. */
export function anchorsOf(prose: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading = ""] of prose.matchAll(/^#{1,6} (.+)$/gm)) {
    const text = heading.replace(/\]\([^)]*\)/g, "").toLowerCase();
    const anchor = text.replace(/[^\p{L}\p{N}\s_-]/gu, "").replaceAll(" ", "-");
    let unused = anchor;
    for (let n = 1; anchors.has(unused); n++) unused = `${anchor}-${n}`;
    anchors.add(unused);
  }
  for (const [, id = ""] of prose.matchAll(/<a (?:id|name)="([^"]+)"/g)) anchors.add(id);
  return anchors;
}

/** The cells of each row of the table whose head begins with these cells; none where there is no such table. */
export function rowsOf(document: string, ...head: string[]): string[][] {
  const lines = readFileSync(path.join(root, document), "utf8").split("\n");
  const first = lines.findIndex((line) => line.startsWith(`| ${head.join(" | ")} |`.replace("|  |", "| |")));
  if (first === -1) return [];
  const length = lines.slice(first).findIndex((line) => !line.startsWith("|"));
  const cells = (line: string) =>
    line
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim());
  return [first, ...lines.slice(first + 2, first + length).map((_, i) => first + 2 + i)].map((i) =>
    cells(lines[i] ?? ""),
  );
}
