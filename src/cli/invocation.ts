import path from "node:path";
import { typed } from "./paths.js";

/** How this command line was started, as one would type it again. */
export function commandLine(argv1 = process.argv[1] ?? ""): string {
  if (argv1.endsWith(`${path.sep}heapray.js`)) return `node ${typed(argv1)}`;
  if (argv1.includes(`${path.sep}node_modules${path.sep}.bin${path.sep}`)) return "npx heapray";
  return "heapray";
}
