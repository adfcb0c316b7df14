// @ts-nocheck
// A server: node server.cjs [worker]. Prints its port once it listens, and answers /state with what it has of itself.
const { createServer } = require("node:http");
const { Worker } = require("node:worker_threads");

const kept = [];

function keep(bytes) {
  kept.push(Buffer./*@keep*/ allocUnsafeSlow(bytes));
  if (kept.length > 50) kept.shift();
}

function answer(request, response) {
  if (request.url === "/state") {
    response.end(JSON.stringify(state()));
    return;
  }
  /*@answer*/ keep(100_003);
  response.end("ok");
}

function state() {
  globalThis.gc?.();
  const listeners = process.eventNames().map((name) => process.listenerCount(name));
  return {
    rss: process.memoryUsage().rss,
    listeners: listeners.reduce((sum, count) => sum + count, 0),
    modules: Object.keys(require.cache).length,
    globals: Reflect.ownKeys(globalThis).length,
    environment: Object.keys(process.env).length,
    execArgv: process.execArgv,
  };
}

const server = createServer(answer).listen(0, "127.0.0.1", () => {
  console.log(`listens on ${server.address().port}`);
});

if (process.argv[2] === "worker") {
  const text = `
    const kept = [];
    function keepInWorker() {
      kept.push(Buffer.allocUnsafeSlow(50_021));
      if (kept.length > 50) kept.shift();
    }
    setInterval(keepInWorker, 5);`;
  new Worker(text, { eval: true });
}
