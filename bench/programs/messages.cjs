// node messages.cjs <live> <replaced> <depth> <threads>: keeps `live` messages in a queue and replaces `replaced` of them,
// the oldest first, that many calls deep; with threads, each of them its share of the replacing, and without, the main
// thread all of it. A message is some blocks of native memory and next to nothing on V8's heap, whose collections would
// make the times wander. Prints the milliseconds of the replacing, and the memory that the process holds after it.
const { readFileSync } = require("node:fs");
const worker = require("node:worker_threads");

const READY = 0;
const GO = 1;

function atDepth(depth, work) {
  return depth <= 1 ? work() : atDepth(depth - 1, work);
}

/** A queue of so many messages. */
function queueOf(live) {
  const { port1, port2 } = new worker.MessageChannel();
  for (let i = 0; i < live; i++) port1.postMessage(i);
  return {
    replace(count) {
      for (let i = 0; i < count; i++) {
        if (worker.receiveMessageOnPort(port2) === undefined) throw new Error("a message is missing");
        port1.postMessage(i);
      }
    },
    close: () => port1.close(),
  };
}

function inMainThread(live, replaced, depth) {
  const queue = queueOf(live);
  const start = process.hrtime.bigint();
  atDepth(depth, () => queue.replace(replaced));
  print(start);
  queue.close();
}

/** All threads begin at once, when the last of them is there. */
async function inThreads(live, replaced, depth, threads) {
  const state = new Int32Array(new SharedArrayBuffer(8));
  const workerData = { state, live, depth, replaced: Math.ceil(replaced / threads) };
  const workers = Array.from({ length: threads }, () => new worker.Worker(__filename, { workerData }));
  const through = Promise.all(workers.map(throughOf));
  while (Atomics.load(state, READY) < threads) await new Promise((resolve) => setTimeout(resolve, 5));
  const start = process.hrtime.bigint();
  Atomics.store(state, GO, 1);
  Atomics.notify(state, GO);
  await through;
  print(start);
}

function throughOf(thread) {
  return new Promise((resolve, reject) => thread.once("message", resolve).once("error", reject));
}

function inWorker({ state, live, replaced, depth }) {
  const queue = queueOf(live);
  queue.replace(Math.min(live, 1000));
  Atomics.add(state, READY, 1);
  Atomics.wait(state, GO, 0);
  atDepth(depth, () => queue.replace(replaced));
  worker.parentPort.postMessage("through");
  queue.close();
}

function print(start) {
  const ms = Number(process.hrtime.bigint() - start) / 1e6;
  // Memory that is a mapped file's, as the capture's, is not the program's own.
  const [, memoryKiB] = /^RssAnon:\s+(\d+)/m.exec(readFileSync("/proc/self/status", "utf8"));
  process.stdout.write(`${JSON.stringify({ ms, memoryKiB: Number(memoryKiB) })}\n`);
}

if (worker.isMainThread) {
  const [live, replaced, depth, threads] = process.argv.slice(2).map(Number);
  if (threads > 0) inThreads(live, replaced, depth, threads);
  else inMainThread(live, replaced, depth);
} else {
  inWorker(worker.workerData);
}
