// Builds the pages behind the HTML reports, dist/ui/<report>.html, which the reporters fill with data.
import { rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "vite";

const configFile = fileURLToPath(new URL("../ui/vite.config.ts", import.meta.url));
rmSync(new URL("../dist/ui", import.meta.url), { recursive: true, force: true });
// One at a time: a page holds all of its code, and shares none with another.
for (const page of ["flamegraph", "table", "live"]) {
  const input = fileURLToPath(new URL(`../ui/${page}.html`, import.meta.url));
  await build({ configFile, logLevel: "warn", build: { rollupOptions: { input } } });
}
