import path from "node:path";
import { build } from "esbuild";
import { root } from "./root.mjs";

/**
 * Makes one file that Node.js runs out of a TypeScript module of bench/ and what it imports.
 * @param {string} module below bench/
 * @returns {Promise<string>} the file
 */
export async function bundled(module) {
  // Two folders below the checkout's, like the modules of src/: some look for files from where they are.
  const outfile = path.join(root, "build/bench-modules", `${path.basename(module, ".ts")}.mjs`);
  await build({
    entryPoints: [path.join(root, "bench", module)],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    packages: "external",
    logLevel: "silent",
  });
  return outfile;
}
