// @ts-nocheck
// Makes known amounts of each kind of memory resident, keeps them, and prints what Node.js says of it.
const { setTimeout: wait } = require("node:timers/promises");
const { once } = require("node:events");
const v8 = require("node:v8");
const vm = require("node:vm");
const { Worker, isMainThread, parentPort } = require("node:worker_threads");

/** 64 bytes each, more or less. */
function objects(count) {
  const made = [];
  for (let i = 0; i < count; i++) made.push({ i, a: i, b: i, next: made[i - 1] });
  return made;
}

if (!isMainThread) {
  const kept = objects(300_000);
  parentPort.on("message", () => {});
  parentPort.postMessage({ kept: kept.length, ...v8.getHeapStatistics() });
} else {
  main();
}

async function main() {
  v8.setFlagsFromString("--expose-gc");
  const collect = vm.runInNewContext("gc");
  // 42 MB that the allocator keeps: between blocks that live on, it can give nothing back.
  let small = [];
  for (let i = 0; i < 400_000; i++) small.push(Buffer.allocUnsafeSlow(200).buffer);
  small = small.filter((_, i) => i % 2 === 0);
  collect();
  const live = objects(600_000);
  const large = Buffer.allocUnsafeSlow(64_000_000).fill(1);
  const wasm = new WebAssembly.Memory({ initial: 512 });
  new Uint8Array(wasm.buffer).fill(1);
  // Never touched, and so never resident.
  const untouched = Buffer.allocUnsafeSlow(500_000_000);
  const worker = new Worker(__filename);
  const [inWorker] = await once(worker, "message");
  await wait(100);
  // A look is taken where RSS has grown by a twentieth since the last one: then, or at the end.
  const last = Buffer.allocUnsafeSlow(60_000_000).fill(1);
  await wait(300);
  const { rss } = process.memoryUsage();
  const physical = v8.getHeapStatistics().total_physical_size + inWorker.total_physical_size;
  const kept = small.length + live.length + large.length + last.length + untouched.length + wasm.buffer.byteLength;
  console.log(JSON.stringify({ kept, rss, physical }));
  process.exit();
}
