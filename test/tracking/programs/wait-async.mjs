// @ts-nocheck
// Allocations that V8 makes with a lock of its own held, while memory snapshots are being taken.
const cells = new Int32Array(new SharedArrayBuffer(8));
const alive = setInterval(() => {}, 1000);
for (let i = 0; i < 60; i++) {
  const until = Date.now() + 12;
  while (Date.now() < until);
  await Atomics.waitAsync?.(cells, 0, 0, 1).value;
}
clearInterval(alive);
console.log("done");
