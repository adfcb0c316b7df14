import { spawnSync } from "node:child_process";
import path from "node:path";
import { root } from "../support/heapray.js";

/** `npm run sanitize` runs these tests with programs that the compiler's sanitizers watch: `thread` or `address,undefined`. */
export const SANITIZE = process.env.HEAPRAY_SANITIZE ?? "";

const folder = path.join(root, "build", SANITIZE === "" ? "test-programs" : `sanitize-${SANITIZE.replace(",", "-")}`);

/** Vitest's global setup: builds the agent's test programs (native/test), parts of the agent that run without Node.js. */
export function setup(): void {
  const include = path.resolve(process.execPath, "../../include/node");
  const variables = [`BUILD=${folder}`, `NODE_INCLUDE=${include}`];
  if (SANITIZE !== "") variables.push(`SANITIZE=${SANITIZE}`);
  const made = spawnSync("make", ["-C", path.join(root, "native"), "-j2", "test-programs", ...variables], {
    encoding: "utf8",
  });
  if (made.status !== 0) throw new Error(`make test-programs failed:\n${made.stderr}`);
}

export function testProgram(name: string): string {
  return path.join(folder, name);
}
