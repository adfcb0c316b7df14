// @ts-nocheck
// What heapray attach does to a program whose live view never connects: node asked.cjs <dist/attach.cjs> <ms> <port>...
// Asks for a client on one port after the other, and prints the answers. Timers are as if <ms> were 15 seconds.
const { setInterval, setTimeout } = globalThis;
const [bundle, ms, ...ports] = process.argv.slice(2);
globalThis.setTimeout = (call, after) => setTimeout(call, (after * ms) / 15_000);
const { attach } = require(bundle);

process.on("SIGTERM", () => {
  console.log("handled");
  process.exit(3);
});
for (const port of ports) ask(Number(port));
console.log("asked");
process.stdin.on("data", () => ask(Number(ports.at(-1))));
setInterval(() => {}, 1000);

function ask(port) {
  const to = { port, user: process.getuid() };
  const settings = { nativeTraces: false, memoryIntervalMs: 10, aggregate: false, traceJsHeap: false, followFork: false };
  console.log(`${port} ${attach({ id: String(port), to, ...settings })}`);
}
