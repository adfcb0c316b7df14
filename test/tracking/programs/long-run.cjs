// @ts-nocheck
// Does the same for a long time: millions of allocations, evaluated code, full collections, threads that come and go.
// Tells the bytes that the C library's allocator has handed out after each quarter.
const [addonFile, millions] = process.argv.slice(2);
const addon = require(addonFile);

const kept = [];
function allocate(i) {
  kept[i % 300] = Buffer.allocUnsafeSlow(100 + (i % 400));
}
function evaluate(i) {
  const code = `return function evaluated${i % 50}() { return Buffer.allocUnsafeSlow(${100 + (i % 50)}); }`;
  kept[i % 300] = new Function(code)()();
}
// Each buffer makes some twelve records.
const rounds = (millions * 1e6) / 12;
const heap = [];
for (let i = 1; i <= rounds; i++) {
  allocate(i);
  if (i % 40 === 0) evaluate(i / 40);
  if (i % 2000 === 0) addon.shortThreads(5);
  if (i % 8000 === 0) gc();
  if (i % Math.floor(rounds / 4) === 0) {
    gc();
    gc();
    heap.push(addon.heapInUse());
  }
}
console.log(JSON.stringify(heap));
