// node loop-in-threads.cjs <iterations> <threads>: that many allocations in all, by that many threads at once. Prints
// the milliseconds from when all threads are there until all are through.
const { Worker, isMainThread, parentPort, workerData } = require("node:worker_threads");
const { printed } = require("./scale-figures.cjs");

const READY = 0;
const GO = 1;

function allocate(iterations) {
  let bytes = 0;
  for (let i = 0; i < iterations; i++) bytes += Buffer.allocUnsafeSlow(200).length;
  return bytes;
}

function work({ state, iterations }) {
  allocate(1000);
  Atomics.add(state, READY, 1);
  Atomics.notify(state, READY);
  Atomics.wait(state, GO, 0);
  if (allocate(iterations) !== iterations * 200) throw new Error("it allocated something else");
  parentPort.postMessage("through");
}

async function main([iterations, threads]) {
  const state = new Int32Array(new SharedArrayBuffer(8));
  const share = Math.ceil(iterations / threads);
  const workers = Array.from(
    { length: threads },
    () => new Worker(__filename, { workerData: { state, iterations: share } }),
  );
  for (const worker of workers) {
    worker.on("error", (error) => {
      throw error;
    });
  }
  const through = Promise.all(workers.map((worker) => new Promise((resolve) => worker.once("message", resolve))));
  while (Atomics.load(state, READY) < threads) await new Promise((resolve) => setTimeout(resolve, 5));
  const start = process.hrtime.bigint();
  Atomics.store(state, GO, 1);
  Atomics.notify(state, GO);
  await through;
  process.stdout.write(printed(start));
}

if (isMainThread) main(process.argv.slice(2).map(Number));
else work(workerData);
