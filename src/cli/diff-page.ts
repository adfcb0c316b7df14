import path from "node:path";
import type { FileReader } from "../analysis/file-reader.js";
import type { GrowthBy } from "../analysis/growth.js";
import type { ConfidentialOptions } from "./confidential.js";
import { CliError } from "./errors.js";
import { checkOutputFile, reportFileName } from "./paths.js";

export interface DiffPageOptions extends ConfidentialOptions {
  readonly flamegraph: boolean;
  readonly output?: string;
  readonly force: boolean;
  readonly leaks: boolean;
  readonly by: GrowthBy;
}

/**
 * The page to write, checked before any work is done.
 * @throws {CliError} it cannot be written, or options of the page are given without it
 */
export function pageOf(
  before: string,
  after: string | undefined,
  options: DiffPageOptions,
): { name: string; path: string } | undefined {
  if (!options.flamegraph) {
    const given = options.output !== undefined ? "-o" : options.force ? "-f" : undefined;
    const stray = given ?? (options.confidentialFiles === "default" ? undefined : "--confidential-files");
    if (stray !== undefined) throw new CliError(`${stray} is for the page that --flamegraph makes; give that too.`);
    return undefined;
  }
  const name = options.output ?? defaultName(before, after);
  return { name, path: checkOutputFile(name, options.force) };
}

/** `heapray-diff-a.1-b.2.html` beside the second capture; of one capture, `heapray-diff-a.1.html`. */
function defaultName(before: string, after: string | undefined): string {
  if (after === undefined) return reportFileName(before, "diff", ".html");
  const first = path.parse(before).name.replace(/^heapray-/, "");
  return reportFileName(after, `diff-${first}`, ".html");
}

/** Collects what the page shows, while the two sides are compared. */
export async function graphOf(
  first: FileReader,
  second: FileReader,
  whats: { before: string; after: string },
  options: DiffPageOptions,
) {
  const { DiffGraph } = await import("../reporters/flamegraph-diff.js");
  const { disclosureOf } = await import("../reporters/confidential-files.js");
  const disclosure = disclosureOf(options.confidentialFiles, second.metadata);
  const side = (reader: FileReader, what: string) => ({
    what: disclosure.file(what),
    cwd: reader.metadata.cwd,
    sourceLine: (file: string, line: number) => reader.sourceText.line(file, line),
  });
  return new DiffGraph({
    before: side(first, whats.before),
    after: side(second, whats.after),
    by: options.by,
    metadata: second.metadata,
    kind: options.leaks ? "leaks" : "high-water-mark",
    disclosure,
  });
}
