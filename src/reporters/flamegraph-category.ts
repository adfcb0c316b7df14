import type { Frame } from "../capture/records.js";
import { Category } from "./flamegraph-data.js";

const NATIVE_FILE = /\.(?:so(?:\.\d+)*|node|c|cc|cpp|cxx|h|hh|hpp|hxx|S|rs)$/;

/** Whose code a frame is. */
export function categoryOf({ file, native }: Pick<Frame, "file" | "native">): Category {
  if (native) return Category.NATIVE;
  if (file.startsWith("node:")) return Category.INTERNAL;
  // "<async>" says that queued work went on on another thread.
  if (file === "<builtin>" || file === "<async>") return Category.BUILTIN;
  if (file === "<native>") return Category.NATIVE;
  if (NATIVE_FILE.test(file)) return Category.NATIVE;
  if (file.includes("/node_modules/") || file.startsWith("node_modules/")) return Category.DEPENDENCY;
  return Category.PROGRAM;
}
