/** The table of frames as columns, in every page alike. */
import type { UnpackedColumns } from "./column-codec.js";
import type { FrameTable } from "./flamegraph-data.js";

export function frameColumns(frames: FrameTable): ArrayLike<number>[] {
  return [frames.function, frames.file, frames.line, frames.column, frames.category, frames.source];
}

/** @throws Error when the columns end before */
export function readFrames(count: number, column: UnpackedColumns<never>["next"]): FrameTable {
  return {
    function: new Uint32Array(column(count)),
    file: new Uint32Array(column(count)),
    line: new Uint32Array(column(count)),
    column: new Uint32Array(column(count)),
    category: new Uint8Array(column(count)),
    source: new Uint32Array(column(count)),
  };
}
