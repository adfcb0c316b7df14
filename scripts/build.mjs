// Builds dist/: the modules (tsc), the CommonJS bundles (esbuild), and the report pages (scripts/build-ui.mjs).
//   node scripts/build.mjs [--no-ui]
import { spawnSync } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = path.resolve(fileURLToPath(import.meta.url), "../..");

/** @param {string[]} args */
function node(...args) {
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}

node("node_modules/typescript/bin/tsc", "-p", "tsconfig.json");

// Modules of Node.js's own that take milliseconds to load, which is most of what starting costs: they are loaded when
// they are used, if ever.
/** @type {Record<string, string>} */
const late = {
  "node:module": `
    exports.createRequire = (from) => (from === importMetaUrl ? require : require("node:module").createRequire(from));
    exports.syncBuiltinESMExports = () => require("node:module").syncBuiltinESMExports();`,
  "node:worker_threads": `
    Object.defineProperty(exports, "isMainThread", { enumerable: true, get: () => require("node:worker_threads").isMainThread });`,
};

/** @type {import("esbuild").Plugin} */
const lateBuiltins = {
  name: "late-builtins",
  setup(bundle) {
    bundle.onResolve({ filter: /^node:/ }, ({ path, namespace }) => {
      if (!(path in late)) return undefined;
      return namespace === "late" ? { path, external: true } : { path, namespace: "late" };
    });
    bundle.onLoad({ filter: /^/, namespace: "late" }, ({ path }) => ({ contents: late[path] ?? "" }));
  },
};

/** @type {import("esbuild").BuildOptions} */
const bundled = {
  absWorkingDir: root,
  outExtension: { ".js": ".cjs" },
  bundle: true,
  platform: "node",
  target: "node20",
  format: "cjs",
  // What ESM modules know as import.meta.url; each bundle lies where the modules that rely on it do.
  define: { "import.meta.url": "importMetaUrl" },
  banner: { js: 'const importMetaUrl = require("node:url").pathToFileURL(__filename).href;' },
  sourcemap: true,
  logLevel: "warning",
  plugins: [lateBuiltins],
};

await build({
  ...bundled,
  entryPoints: { "preload-process": "src/tracker/preload.ts", attach: "src/tracker/attach.ts", index: "src/index.ts" },
  outdir: "dist",
  external: ["*.node"],
});

// The command line: in one file, since loading modules is most of what starting it costs. What reads captures, and
// what draws on terminals, is loaded when it is needed, from where it is.
await build({
  ...bundled,
  entryPoints: ["src/cli/main.ts"],
  outdir: "dist/cli",
  minify: true,
  plugins: [
    lateBuiltins,
    {
      name: "readers-stay-modules",
      setup(bundle) {
        bundle.onResolve({ filter: /^\.\.\/(analysis|attach|live|reporters|terminal)\// }, ({ kind, path }) =>
          kind === "dynamic-import" ? { path, external: true } : undefined,
        );
      },
    },
  ],
});

// Every Node.js must be able to load this one.
await build({
  absWorkingDir: root,
  entryPoints: { preload: "src/tracker/preload-guard.ts" },
  outdir: "dist",
  outExtension: { ".js": ".cjs" },
  platform: "node",
  target: "es2015",
  format: "cjs",
  logLevel: "warning",
});

if (!process.argv.includes("--no-ui")) node("scripts/build-ui.mjs");
