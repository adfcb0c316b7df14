import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import preact from "@preact/preset-vite";
import { defineConfig, type Plugin } from "vite";
import { viteSingleFile } from "vite-plugin-singlefile";

/**
 * Lets the page run its own script and nothing else: no network, no script that a hostile name might bring in. The live
 * page may ask whoever served it.
 * Comes after everything is inlined, because the script is allowed by its hash.
 */
function contentSecurityPolicy(): Plugin {
  return {
    name: "content-security-policy",
    enforce: "post",
    generateBundle: {
      order: "post",
      handler(_options, bundle) {
        for (const file of Object.values(bundle)) {
          if (file.type !== "asset" || !file.fileName.endsWith(".html")) continue;
          const html = String(file.source);
          const scripts = [...html.matchAll(/<script type="module"[^>]*>([\s\S]*?)<\/script>/g)];
          const code = scripts[0]?.[1] ?? "";
          if (scripts.length !== 1 || code === "") throw new Error("expected the page to have one script, inlined");
          const hash = createHash("sha256").update(code).digest("base64");
          const connect = file.fileName === "live.html" ? " connect-src 'self';" : "";
          const policy = `default-src 'none'; script-src 'sha256-${hash}';${connect} style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'`;
          const meta = `<meta http-equiv="Content-Security-Policy" content="${policy}" />`;
          file.source = html.replace('<meta charset="utf-8" />', (charset) => `${charset}\n    ${meta}`);
        }
      },
    },
  };
}

export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  plugins: [
    preact({ devToolsEnabled: false }),
    viteSingleFile({ removeViteModuleLoader: true }),
    contentSecurityPolicy(),
  ],
  build: {
    outDir: fileURLToPath(new URL("../dist/ui", import.meta.url)),
    emptyOutDir: false,
    target: "es2022",
    modulePreload: false,
    reportCompressedSize: false,
    // scripts/build-ui.mjs names each page in turn.
    rollupOptions: { input: fileURLToPath(new URL("flamegraph.html", import.meta.url)) },
  },
});
