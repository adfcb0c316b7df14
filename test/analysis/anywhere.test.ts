import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { expect, it } from "vitest";

it("captures can be read where there is no Node.js: nothing but FileReader needs it", async () => {
  const root = fileURLToPath(new URL("../../src/", import.meta.url));
  const bundle = await build({
    stdin: {
      contents: `export { CaptureReader } from "./analysis/capture-reader.js";
        export { CaptureDecoder } from "./capture/decoder.js";
        export { MemoryByteSource } from "./capture/byte-source.js";
        export { writeCsv } from "./reporters/csv.js";`,
      resolveDir: root,
    },
    bundle: true,
    write: false,
    format: "esm",
    platform: "browser",
    packages: "external",
    logLevel: "silent",
  });
  // Other packages are left out; they say themselves where they run.
  expect(bundle.outputFiles[0]?.text).not.toMatch(/\b(Buffer|process|require)\b[.(]|from "node:/);
});
