#!/usr/bin/env node
let cli;
try {
  cli = await import("../dist/cli/main.js");
} catch (error) {
  const sentences = {
    ERR_MODULE_NOT_FOUND: `this checkout is not built (${error?.message}); run "npm ci", or "npm run build".`,
    EMFILE: 'too many files are open for heapray to start; permit more ("ulimit -n 1024").',
    ENFILE: "the system has too many files open for heapray to start.",
  };
  const sentence = sentences[error?.code];
  if (sentence === undefined) throw error;
  process.stderr.write(`heapray: ${sentence}\n`);
  process.exit(1);
}
await cli.main(process.argv);
