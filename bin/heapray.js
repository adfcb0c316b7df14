#!/usr/bin/env node
// CommonJS, and one file: loading modules is most of what starting costs.
let cli;
try {
  cli = require("../dist/cli/main.cjs");
} catch (error) {
  const sentences = {
    MODULE_NOT_FOUND: `this checkout is not built (${error?.message.split("\n")[0]}); run "npm ci", or "npm run build".`,
    EMFILE: 'too many files are open for heapray to start; permit more ("ulimit -n 1024").',
    ENFILE: "the system has too many files open for heapray to start.",
  };
  const sentence = sentences[error?.code];
  if (sentence === undefined) throw error;
  process.stderr.write(`heapray: ${sentence}\n`);
  process.exit(1);
}
cli.main(process.argv);
