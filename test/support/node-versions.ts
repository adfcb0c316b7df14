import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

export interface NodeVersion {
  /** `node20 (running)`, `node22`, ... */
  readonly name: string;
  /** Without the `v`. */
  readonly version: string;
  /** The binary. */
  readonly path: string;
}

const root = path.resolve(fileURLToPath(import.meta.url), "../../..");

/**
 * The Node.js versions that tracking is tested on: the running one and the newest of `npm run matrix`, or where
 * HEAPRAY_NODE_VERSIONS is "all", as `npm test -- --all-versions` sets it, every one of them.
 * @throws {Error} then and in CI, when one of them is not installed, so that no version goes untested unseen
 */
export const nodeVersions: readonly NodeVersion[] = chosen(findVersions());

function chosen(all: readonly NodeVersion[]): readonly NodeVersion[] {
  if (process.env.HEAPRAY_NODE_VERSIONS === "all") return all;
  return all.filter((_, i) => i === 0 || i === all.length - 1);
}

function findVersions(): NodeVersion[] {
  const [major] = process.versions.node.split(".");
  const found = [{ name: `node${major} (running)`, version: process.versions.node, path: process.execPath }];
  const pins = JSON.parse(readFileSync(path.join(root, "scripts/node-matrix/package.json"), "utf8"));
  for (const name of Object.keys(pins.dependencies)) {
    const binary = path.join(root, ".matrix/node_modules", name, "bin/node");
    if (existsSync(binary)) {
      const version = execFileSync(binary, ["--version"], { encoding: "utf8" }).trim().slice(1);
      if (version !== process.versions.node) found.push({ name, version, path: binary });
    } else if (process.env.CI || process.env.HEAPRAY_NODE_VERSIONS === "all") {
      throw new Error(`${name} is not installed; run "npm run matrix".`);
    }
  }
  return found;
}
