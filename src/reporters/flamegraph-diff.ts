import { basename } from "node:path";
import type { GrowthBy } from "../analysis/growth.js";
import type { AllocationRecord, Frame, MemorySnapshot, Metadata } from "../capture/records.js";
import { type Disclosure, EVERYTHING } from "./confidential-files.js";
import type { FlameGraphData, ReportKind } from "./flamegraph-data.js";
import { flameGraphHtml, readTemplate } from "./flamegraph-page.js";
import { snapshotTable } from "./flamegraph-snapshots.js";
import { FlameGraphTree } from "./flamegraph-tree.js";
import type { SourceLine } from "./frame-table.js";
import { pageMetadata, pageTitle } from "./report-page.js";

/** One side of a differential flame graph. */
export interface ComparedSide {
  /** What it is, like `old.bin at its peak`. */
  readonly what: string;
  /** The program's working directory: files below it are the same in another checkout. */
  readonly cwd: string;
  readonly sourceLine?: SourceLine;
}

export interface DiffGraphInput {
  readonly before: ComparedSide;
  readonly after: ComparedSide;
  readonly by: GrowthBy;
  /** Of the program after. */
  readonly metadata: Metadata;
  readonly kind: ReportKind;
  /** What of files and paths the page may tell; everything unless told. */
  readonly disclosure?: Disclosure;
}

/**
 * Merges both sides' stacks into one call tree. Frames are the same where function, file and line are, wherever the two
 * programs lay; where functions or files are told apart, whatever their lines are. Columns tell nothing apart: they move
 * with every edit of a line.
 */
export class DiffGraph {
  readonly #input: DiffGraphInput;
  readonly #tree = new FlameGraphTree();
  readonly #folders: { readonly before: string; readonly after: string };
  /** Lines on the stacks of after: their text is that side's. */
  readonly #linesAfter = new Set<string>();
  /** By the names that files have after, those that they had before. */
  readonly #filesBefore = new Map<string, string>();

  constructor(input: DiffGraphInput) {
    this.#input = input;
    this.#folders = { before: folderOf(input.before.cwd), after: folderOf(input.after.cwd) };
  }

  /** The records as they come, each added to the graph as it passes. */
  *adding(side: "before" | "after", records: Iterable<AllocationRecord>): Iterable<AllocationRecord> {
    for (const record of records) {
      this.#tree.addTo(side, record, this.#shared(side, record.stackTrace()));
      yield record;
    }
  }

  /**
   * Every record has to have passed.
   * @param snapshots memory over time where both sides are of one run; may be empty
   */
  finish(snapshots: Iterable<MemorySnapshot>): FlameGraphData {
    const { before, after, by, metadata, kind, disclosure = EVERYTHING } = this.#input;
    const { before: held, ...tables } = this.#tree.finish(this.#sourceLine, disclosure);
    const none = new Float64Array(tables.weights.node.length);
    return {
      kind,
      inverted: false,
      metadata: pageMetadata(metadata, disclosure),
      ...tables,
      snapshots: snapshotTable(snapshots),
      comparison: {
        before: before.what,
        after: after.what,
        by,
        bytes: held?.bytes ?? none,
        allocations: held?.allocations ?? none,
      },
    };
  }

  readonly #sourceLine: SourceLine = (file, line) => {
    const { before, after } = this.#input;
    if (this.#linesAfter.has(`${line} ${file}`)) return after.sourceLine?.(file, line);
    return before.sourceLine?.(this.#filesBefore.get(file) ?? file, line);
  };

  /** Frames as both sides have them, innermost first. */
  #shared(side: "before" | "after", frames: readonly Frame[]): Frame[] {
    const { by } = this.#input;
    const out: Frame[] = [];
    for (const frame of frames) {
      const file = this.#fileOf(side, frame.file);
      if (side === "after") this.#linesAfter.add(`${frame.line} ${file}`);
      const shared = { ...frame, file, line: by === "line" ? frame.line : 0, column: 0 };
      if (by !== "file" || file === "") {
        out.push(shared);
        continue;
      }
      // Calls within a file do not show where files are told apart.
      if (out.at(-1)?.file === file) continue;
      out.push({ ...shared, function: basename(file) });
    }
    return out;
  }

  #fileOf(side: "before" | "after", file: string): string {
    if (side === "after" || !file.startsWith(this.#folders.before)) return file;
    const shared = this.#folders.after + file.slice(this.#folders.before.length);
    this.#filesBefore.set(shared, file);
    return shared;
  }
}

/**
 * The page's HTML, complete and self-contained.
 * @throws Error when the page's template is not built
 */
export function renderDiffGraph(data: FlameGraphData, metadata: Metadata): string {
  return flameGraphHtml(data, pageTitle(metadata, data.kind, "difference"), readTemplate());
}

function folderOf(cwd: string): string {
  return cwd.endsWith("/") ? cwd : `${cwd}/`;
}
