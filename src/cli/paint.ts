import { createRequire } from "node:module";
import type * as Picocolors from "picocolors";
import type { Paint } from "../reporters/paint.js";

/** Colours for a terminal; none where the output goes elsewhere, or NO_COLOR says so. */
export function paintFor(stream: NodeJS.WriteStream): Paint {
  const { NO_COLOR, TERM } = process.env;
  // Loaded here, so that whatever has no colours starts without it.
  const { createColors } = createRequire(import.meta.url)("picocolors") as typeof Picocolors;
  const { bold, cyan, dim, green, red } = createColors(stream.isTTY === true && !NO_COLOR && TERM !== "dumb");
  return { title: bold, bar: cyan, minor: dim, grown: red, shrunk: green };
}
