import { type FrameOrigin, originOf } from "../analysis/frame-origin.js";
import { isInterpreter } from "../analysis/frame-roles.js";
import type { Frame } from "../capture/records.js";
import { Category } from "./flamegraph-data.js";

const CATEGORY: Readonly<Record<FrameOrigin, Category>> = {
  program: Category.PROGRAM,
  dependency: Category.DEPENDENCY,
  internal: Category.INTERNAL,
  builtin: Category.BUILTIN,
  native: Category.NATIVE,
};

/** Whose code a frame is. */
export function categoryOf(frame: Pick<Frame, "function" | "file" | "native" | "internal">): Category {
  if (isInterpreter(frame)) return Category.BUILTIN;
  return CATEGORY[originOf(frame)];
}
