import type { Frame } from "../capture/records.js";
import { isPythonFile, originOfPython } from "./python-files.js";

/**
 * Whose code a frame is: the program's own, a package's, the runtime's (Node.js's JavaScript, Python's standard library),
 * the engine's, or machine code.
 */
export type FrameOrigin = "program" | "dependency" | "internal" | "builtin" | "native";

const NATIVE_FILE = /\.(?:so(?:\.\d+)*|node|c|cc|cpp|cxx|h|hh|hpp|hxx|S|rs)$/;

/** Whose code a frame is. */
export function originOf({ file, native, internal }: Pick<Frame, "file" | "native" | "internal">): FrameOrigin {
  if (native) return "native";
  if (internal || file.startsWith("node:")) return "internal";
  // "<async>" says that queued work went on on another thread.
  if (file === "<builtin>" || file === "<async>") return "builtin";
  if (file === "<native>") return "native";
  if (isPythonFile(file)) return originOfPython(file);
  if (NATIVE_FILE.test(file)) return "native";
  if (file.includes("/node_modules/") || file.startsWith("node_modules/")) return "dependency";
  return "program";
}
