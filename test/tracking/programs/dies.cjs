// @ts-nocheck
// Allocates, then dies as the second argument tells: of a signal that is sent to it, or in an addon.
const [addon, way] = process.argv.slice(2);
const { end } = require(addon);
globalThis.kept = [];
for (let i = 0; i < 200; i++) kept.push(Buffer./*@kept <module>*/allocUnsafeSlow(16007));
//> 16007 x200 = kept
process.on("exit", () => console.log("exit"));
function leak() {
  const all = [];
  for (;;) all.push(new Array(10_000).fill(all.length)); // the leak
}
if (way === "heap limit") leak();
else if (way.startsWith("SIG")) process.kill(process.pid, way);
else end(way);
console.log("after");
setInterval(() => {}, 1000);
