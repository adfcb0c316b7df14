import type { FlameGraphData } from "../../../src/reporters/flamegraph-data.js";

/** A node told by what its frames are, outermost first, for data in which it has another number. */
export type Path = readonly string[];

export function pathOf(data: FlameGraphData, node: number): Path {
  const { parent, frame } = data.nodes;
  const path: string[] = [];
  for (let at = node; at > 0; at = parent[at] as number) path.push(keyOf(data, frame[at] as number));
  return path.reverse();
}

/** The node at the end of the path, or of the longest part of it that is there. */
export function nodeOnPath(data: FlameGraphData, path: Path): { readonly node: number; readonly whole: boolean } {
  const { parent, frame } = data.nodes;
  let found = 0;
  let depth = 0;
  // Nodes come after their parents, and a frame is below its caller once.
  for (let node = 1; node < parent.length && depth < path.length; node++) {
    if (parent[node] !== found || keyOf(data, frame[node] as number) !== path[depth]) continue;
    found = node;
    depth++;
  }
  return { node: found, whole: depth === path.length };
}

/** What tells frames apart, in any data. */
function keyOf({ frames, strings }: FlameGraphData, frame: number): string {
  const text = (column: Uint32Array): string => strings[column[frame] as number] ?? "";
  return `${frames.category[frame]} ${frames.line[frame]}:${frames.column[frame]} ${text(frames.file)}\n${text(frames.function)}`;
}
