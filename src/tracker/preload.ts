/**
 * What Node.js loads first in a process that is to be tracked. NODE_OPTIONS carries it into whatever Node.js the program
 * starts, of any age: hence this file, in a language that all of them understand, and nothing that throws.
 */
const OLDEST = 20;

try {
  if (Number(process.versions.node.split(".")[0]) >= OLDEST) {
    require("./preload-process.cjs");
  } else if (process.env.HEAPRAY_RUN) {
    process.stderr.write(
      `heapray: process ${process.pid} runs untracked: it is Node.js ${process.version}, not 20 or newer.\n`,
    );
  }
} catch (error) {
  process.stderr.write(`heapray: process ${process.pid} runs untracked: ${String(error)}\n`);
}
