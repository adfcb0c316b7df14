import type { FlameGraphData } from "../../../src/reporters/flamegraph-data.js";
import type { CallTree } from "./tree.js";

/** A search as typed, ready to be tried on text. */
export type Query =
  | { readonly state: "empty" }
  | { readonly state: "bad"; readonly reason: string }
  | { readonly state: "ready"; readonly test: (text: string) => boolean };

/**
 * Plain text is looked for in any case; one that ends in a line number (`csv.ts:4`) means that line and not `csv.ts:42`.
 * Text between slashes is a regular expression, with flags after it: `/parse(Row|Line)/`.
 */
export function parseQuery(text: string): Query {
  const trimmed = text.trim();
  if (trimmed === "" || trimmed === "/") return { state: "empty" };
  const regex = /^\/(.+)\/([a-z]*)$/su.exec(trimmed);
  if (regex) {
    try {
      const flags = (regex[2] ?? "").replace(/[gy]/g, "");
      const pattern = new RegExp(regex[1] ?? "", flags);
      return { state: "ready", test: (candidate) => pattern.test(candidate) };
    } catch (error) {
      return { state: "bad", reason: error instanceof Error ? error.message : String(error) };
    }
  }
  const needle = trimmed.toLowerCase();
  const wholeNumber = /:\d+$/.test(needle);
  return {
    state: "ready",
    test: (candidate) => {
      const text = candidate.toLowerCase();
      for (let at = text.indexOf(needle); at !== -1; at = text.indexOf(needle, at + 1)) {
        if (!wholeNumber || !/\d/.test(text[at + needle.length] ?? "")) return true;
      }
      return false;
    },
  };
}

/** What a search found in a tree. */
export interface Matches {
  /** By frame, 1 for a match. */
  readonly frames: Uint8Array;
  /** How many nodes before node n match; with it, whether there is a match among nodes a to b is a subtraction. */
  readonly before: Uint32Array;
  /** Matching nodes, largest first. */
  readonly nodes: Uint32Array;
  /** Totals of the matching nodes; a match below another is part of it and not counted again. */
  readonly bytes: number;
  readonly allocations: number;
}

/** The frames that a query matches, by function name and by `file:line:column`. */
export function matchFrames(data: FlameGraphData, query: Query): Uint8Array {
  const { frames, strings } = data;
  const matches = new Uint8Array(frames.function.length);
  if (query.state !== "ready") return matches;
  for (let frame = 1; frame < matches.length; frame++) {
    const name = strings[frames.function[frame] as number] ?? "";
    const file = strings[frames.file[frame] as number] ?? "";
    const place = file === "" ? "" : `${file}:${frames.line[frame]}:${frames.column[frame]}`;
    if (query.test(name) || (place !== "" && query.test(place))) matches[frame] = 1;
  }
  return matches;
}

export function findMatches(tree: CallTree, frames: Uint8Array): Matches {
  const covered = new Uint8Array(tree.size);
  const before = new Uint32Array(tree.size + 1);
  const nodes: number[] = [];
  let bytes = 0;
  let allocations = 0;
  for (let node = 0; node < tree.size; node++) {
    const inside = node > 0 && covered[tree.parent[node] as number] === 1;
    if (frames[tree.frame[node] as number] === 1) {
      nodes.push(node);
      covered[node] = 1;
      if (!inside) {
        bytes += tree.totalBytes[node] as number;
        allocations += tree.totalAllocations[node] as number;
      }
    } else if (inside) {
      covered[node] = 1;
    }
    before[node + 1] = nodes.length;
  }
  nodes.sort((a, b) => (tree.value[b] as number) - (tree.value[a] as number) || a - b);
  return { frames, before, nodes: Uint32Array.from(nodes), bytes, allocations };
}
