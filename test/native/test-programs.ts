import { spawnSync } from "node:child_process";
import path from "node:path";
import { root } from "../support/heapray.js";

const folder = path.join(root, "build", "test-programs");

/** Vitest's global setup: builds the agent's test programs (native/test), parts of the agent that run without Node.js. */
export function setup(): void {
  const include = path.resolve(process.execPath, "../../include/node");
  const made = spawnSync(
    "make",
    ["-C", path.join(root, "native"), "-j2", "test-programs", `BUILD=${folder}`, `NODE_INCLUDE=${include}`],
    {
      encoding: "utf8",
    },
  );
  if (made.status !== 0) throw new Error(`make test-programs failed:\n${made.stderr}`);
}

export function testProgram(name: string): string {
  return path.join(folder, name);
}
