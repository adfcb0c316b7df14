#!/usr/bin/env node
let cli;
try {
  cli = await import("../dist/cli/main.js");
} catch (error) {
  if (error?.code !== "ERR_MODULE_NOT_FOUND") throw error;
  process.stderr.write(`heapray: this checkout is not built (${error.message}); run "npm ci", or "npm run build".\n`);
  process.exit(1);
}
await cli.main(process.argv);
