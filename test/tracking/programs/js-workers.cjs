// @ts-nocheck
// Workers whose objects are recorded: older than the tracker, idle or busy; younger; terminated. Arguments: heapray,
// the capture.
const { once } = require("node:events");
const { setFlagsFromString } = require("node:v8");
const { runInNewContext } = require("node:vm");
const { isMainThread, parentPort, workerData, Worker } = require("node:worker_threads");

const kept = [];
/** Whether the busy worker is to come to its end. */
const enough = new Int32Array(isMainThread ? new SharedArrayBuffer(4) : workerData.enough);
function allocate(bytes) {
  for (let i = 0; i < bytes / 56; i++) {
    kept.push(() => i);
  }
}
function idle() {
  allocate(4_000_000);
}
function busy() {
  // Turns its event loop no more.
  const end = Date.now() + 10_000;
  while (Atomics.load(enough, 0) === 0 && Date.now() < end) {
    allocate(100_000);
    kept.length = 0;
  }
  allocate(4_000_000);
  // What the loop left behind is not collected by itself any time soon.
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
}
function young() {
  allocate(4_000_000);
}
function terminated() {
  allocate(4_000_000);
}

function start(name) {
  return new Worker(__filename, { workerData: { name, enough: enough.buffer }, argv: process.argv.slice(2) });
}
async function answer(worker, text) {
  worker.postMessage(text);
  const [reply] = await once(worker, "message");
  return reply;
}

async function main() {
  const { Tracker } = require(process.argv[2]);
  const older = [start("idle"), start("busy")];
  await Promise.all(older.map((worker) => once(worker, "message")));
  const busyOne = once(older[1], "message");
  older[1].postMessage("go");
  await new Promise((resolve) => setTimeout(resolve, 50));

  const tracker = new Tracker(process.argv[3], { traceJsHeap: 1024 });
  await answer(older[0], "go");
  await new Promise((resolve) => setTimeout(resolve, 200));
  Atomics.store(enough, 0, 1);
  const younger = start("young");
  await once(younger, "message");
  await answer(younger, "go");
  const gone = start("terminated");
  await once(gone, "message");
  await answer(gone, "go");
  await gone.terminate();
  await busyOne;
  tracker.stop();
  for (const worker of [...older, younger]) await answer(worker, "go");
  await Promise.all([...older, younger].map((worker) => worker.terminate()));
}

if (isMainThread) main();
else {
  parentPort.on("message", () => {
    ({ idle, busy, young, terminated })[workerData.name]();
    parentPort.postMessage("done");
  });
  parentPort.postMessage("ready");
}
