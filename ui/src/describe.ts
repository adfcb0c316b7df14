import { languageOf } from "../../src/capture/language.js";
import {
  Category,
  type FlameGraphData,
  type ReportKind,
  type ReportMetadata,
} from "../../src/reporters/flamegraph-data.js";
import type { TemporalView } from "../../src/reporters/temporal-data.js";
import { formatBytes, formatCount, formatPercent } from "./model/format.js";
import { baseName, displayPath, visible } from "./model/names.js";
import type { CallTree } from "./model/tree.js";

/** Texts that say what a frame is. All of them are safe to show: see `visible`. */
export interface FrameTexts {
  readonly name: string;
  /** `file:line:column` with a readable path; empty when the frame has no file. */
  readonly place: string;
  /** `file:line` with the file's name only. */
  readonly shortPlace: string;
  readonly source: string;
}

const CATEGORY_NAMES: Record<Category, string> = {
  [Category.PROGRAM]: "Your program",
  [Category.DEPENDENCY]: "node_modules",
  [Category.INTERNAL]: "Node internals",
  [Category.BUILTIN]: "Engine builtins",
  [Category.NATIVE]: "Native code",
  [Category.THREAD]: "Thread",
  [Category.ROOT]: "Everything",
  [Category.SMALL]: "Too small to show one by one",
};
const PYTHON_NAMES: Readonly<Partial<Record<Category, string>>> = {
  [Category.DEPENDENCY]: "Packages",
  [Category.INTERNAL]: "Standard library",
  [Category.BUILTIN]: "Interpreter",
};

/** What is said of the runtime that a report is of. */
type OfRuntime = Pick<ReportMetadata, "runtime">;

/** Whose code frames of a category are. */
export function categoryName(category: Category, { runtime }: OfRuntime): string {
  const own = languageOf(runtime) === "Python" ? PYTHON_NAMES[category] : undefined;
  return own ?? CATEGORY_NAMES[category];
}

/** The switches that hide frames: what each is called, and what it says. */
export function hidingTexts({ runtime }: OfRuntime): Readonly<Record<"internals" | "dependencies", [string, string]>> {
  return languageOf(runtime) === "Python"
    ? {
        internals: ["Python internals", "Take out the standard library, the import system and the interpreter"],
        dependencies: ["packages", "Take out the code of installed packages (site-packages)"],
      }
    : {
        internals: ["node internals", "Take out node: files and engine builtins"],
        dependencies: ["node_modules", "Take out the code of installed packages"],
      };
}

/** A place as the search finds it: Python's have no columns. */
export function placeForm({ runtime }: OfRuntime): string {
  return languageOf(runtime) === "Python" ? "file:line" : "file:line:column";
}

/** What a report without any allocations says. */
export const NOTHING: Readonly<Record<ReportKind, string>> = {
  "high-water-mark": "The capture holds no allocations.",
  leaks: "Nothing was left behind: every allocation was freed.",
  temporary: "No allocation was freed so soon after it was made.",
  live: "Nothing is held at this moment.",
};

/** What a report of a range of time says where it held nothing. */
export const NOTHING_IN_RANGE: Readonly<Record<TemporalView, string>> = {
  "high-water-mark": "Nothing was held in this range of time.",
  leaks: "Nothing was left behind: all that was allocated in this range of time was freed in it.",
};

/** What a page needs of its data to name a frame. */
export type NamedFrames = Pick<FlameGraphData, "frames" | "strings" | "metadata">;

export function frameTexts(data: NamedFrames, frame: number): FrameTexts {
  const { frames, strings, metadata } = data;
  if (frames.category[frame] === Category.ROOT) return { name: "all memory", place: "", shortPlace: "", source: "" };
  const file = strings[frames.file[frame] as number] ?? "";
  const line = frames.line[frame] as number;
  const column = frames.column[frame] as number;
  const lineText = line === 0 ? "" : `:${line}`;
  const columnText = line === 0 || column === 0 ? "" : `:${column}`;
  return {
    name: visible(strings[frames.function[frame] as number] ?? ""),
    place: file === "" ? "" : `${displayPath(file, metadata.cwd)}${lineText}${columnText}`,
    shortPlace: file === "" ? "" : `${baseName(file)}${lineText}`,
    source: visible(strings[frames.source[frame] as number] ?? ""),
  };
}

/** The amount that a frame's width stands for. */
export function amountText(tree: CallTree, node: number): string {
  return tree.metric === "bytes"
    ? formatBytes(tree.totalBytes[node] as number)
    : formatCount(tree.totalAllocations[node] as number);
}

/** A frame as a screen reader should say it. */
export function spoken(data: FlameGraphData, tree: CallTree, node: number, inverted: boolean): string {
  const below = inverted ? "caller" : "callee";
  const texts = frameTexts(data, tree.frame[node] as number);
  const children = (tree.firstChild[node + 1] as number) - (tree.firstChild[node] as number);
  const parts = [
    texts.name,
    texts.place,
    `${formatBytes(tree.totalBytes[node] as number)}, ${formatPercent(tree.totalBytes[node] as number, tree.totalBytes[0] as number)} of total`,
    `${formatCount(tree.totalAllocations[node] as number)} allocations`,
    `level ${tree.depth[node]}`,
    children === 0 ? `no ${below}s` : children === 1 ? `1 ${below}` : `${formatCount(children)} ${below}s`,
  ];
  return parts.filter((part) => part !== "").join("; ");
}
