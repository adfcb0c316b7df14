// @ts-nocheck
// Worker threads: one that ends itself, one that is terminated in the midst of work, one of text.
const { once } = require("node:events");
const { Worker } = require("node:worker_threads");

function inMain(size) {
  return Buffer./*@inMain*/allocUnsafeSlow(size);
}
async function main() {
  const worker = new Worker(require.resolve("./worker.cjs"), { workerData: 11003 });
  await once(worker, "message");
  for (let i = 0; i < 1000; i++) /*@main*/inMain(11027);
  worker.postMessage("stop");
  await once(worker, "exit");

  const counter = new Int32Array(new SharedArrayBuffer(4));
  const endless = new Worker(`
    const { workerData: counter } = require("node:worker_threads");
    for (;;) {
      Buffer.allocUnsafeSlow(Atomics.load(counter, 0) < 100 ? 11047 : 11059);
      if (Atomics.add(counter, 0, 1) === 500) Atomics.notify(counter, 0);
    }`, { eval: true, workerData: counter });
  while (Atomics.load(counter, 0) <= 500) await new Promise((resolve) => setTimeout(resolve, 1));
  await endless.terminate();
  /*@after main*/inMain(11057);
}
/*@start <module>*/main();
//> 11027 x1000 = inMain main
//> 11047 x100 = [<module> [worker eval]:4:14]
//> 11057 x1 = inMain after
