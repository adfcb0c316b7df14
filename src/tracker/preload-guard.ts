/**
 * What Node.js loads first in a process that is to be tracked. NODE_OPTIONS carries it into whatever Node.js the program
 * starts, of any age: hence this file, in a language that all of them understand, and nothing that throws.
 */
const OLDEST = 20;

function say(why: string): void {
  try {
    // Not process.stderr: whoever reads it may be gone, and its error would end the process.
    // biome-ignore lint/style/useNodejsImportProtocol: unknown before Node.js 14.
    require("fs").writeSync(2, `heapray: process ${process.pid} runs untracked: ${why}\n`);
  } catch {
    // Nobody to tell.
  }
}

try {
  if (Number(process.versions.node.split(".")[0]) >= OLDEST) require("./preload-process.cjs");
  else if (process.env.HEAPRAY_RUN) say(`it is Node.js ${process.version}, not ${OLDEST} or newer.`);
} catch (error) {
  say(String(error));
}
