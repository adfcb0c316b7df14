// Builds the pages behind the HTML reports: dist/ui/flamegraph.html, which the reporter fills with data.
import { fileURLToPath } from "node:url";
import { build } from "vite";

await build({ configFile: fileURLToPath(new URL("../ui/vite.config.ts", import.meta.url)), logLevel: "warn" });
