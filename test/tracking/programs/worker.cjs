// @ts-nocheck
const { parentPort, workerData } = require("node:worker_threads");

function inWorker(size) {
  return Buffer./*@inWorker*/allocUnsafeSlow(size);
}
function work() {
  for (let i = 0; i < 1000; i++) /*@work*/inWorker(workerData);
}
/*@worker <module>*/work();
//> 11003 x1000 = inWorker work worker
parentPort.on("message", (text) => {
  /*@told <anonymous>*/inWorker(workerData + 20);
  if (text === "stop") process.exit();
  parentPort.postMessage("done");
  //> 11023 x1 = inWorker told
});
parentPort.postMessage("ready");
