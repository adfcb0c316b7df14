// @ts-nocheck
// Allocates, then ends as the first argument tells.
const { Worker } = require("node:worker_threads");
const way = process.argv[2];
globalThis.kept = [];
for (let i = 0; i < 200; i++) kept.push(Buffer./*@kept <module>*/allocUnsafeSlow(16007));
//> 16007 x200 = kept

process.on("exit", (code) => {
  kept.push(Buffer./*@at-exit <anonymous>*/allocUnsafeSlow(16033));
  console.log("exit", code);
});
const ways = {
  end() { process.exitCode = 3; },
  exit() { setTimeout(() => process.exit(4), 5); },
  exception() { setTimeout(() => { throw new Error("uncaught"); }, 5); },
  rejection() { Promise.reject(new Error("unhandled")); },
  reallyExit() { process.reallyExit(6); },
  SIGTERM() { process.kill(process.pid, "SIGTERM"); setInterval(() => {}, 1000); },
  SIGSEGV() { process.kill(process.pid, "SIGSEGV"); setInterval(() => {}, 1000); },
  SIGKILL() { process.kill(process.pid, "SIGKILL"); setInterval(() => {}, 1000); },
  abort() { process.abort(); },
  outOfMemory() { for (const all = []; ;) all.push(new Array(1e6).fill(all.length)); },
  workerExit() {
    new Worker("process.exit(9)", { eval: true }).on("exit", (code) => { process.exitCode = code + 1; });
  },
  workerRuns() { new Worker("setInterval(() => {}, 1000)", { eval: true }).on("online", () => process.exit(8)); },
};
ways[way]();
