const { readFileSync } = require("node:fs");

/**
 * What a program prints: the milliseconds since `start`, and the memory that it holds now, in KiB. Memory that is a
 * mapped file's, as the capture's, is not the program's own and does not count.
 */
exports.printed = (start) => {
  const ms = Number(process.hrtime.bigint() - start) / 1e6;
  const [, memoryKiB] = /^RssAnon:\s+(\d+)/m.exec(readFileSync("/proc/self/status", "utf8"));
  return `${JSON.stringify({ ms, memoryKiB: Number(memoryKiB) })}\n`;
};
