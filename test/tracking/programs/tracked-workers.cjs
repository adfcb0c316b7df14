// @ts-nocheck
// Workers that are older than the tracker, and workers that are younger. Arguments: heapray, the capture.
const { once } = require("node:events");
const { Worker } = require("node:worker_threads");
const { Tracker } = require(process.argv[2]);

async function main() {
  const older = new Worker(require.resolve("./worker.cjs"), { workerData: 12007 });
  await once(older, "message");

  const tracker = new Tracker(process.argv[3]);
  older.postMessage("work");
  await once(older, "message");

  const younger = new Worker(require.resolve("./worker.cjs"), { workerData: 12011 });
  await once(younger, "message");
  younger.postMessage("stop");
  await once(younger, "exit");
  tracker.stop();

  older.postMessage("stop");
  await once(older, "exit");
}
main();
