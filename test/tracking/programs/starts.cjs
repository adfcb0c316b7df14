// @ts-nocheck
// Starts and stops trackers, with workers at work, and tells what of the process has changed since the first of them.
const { readdirSync, readFileSync } = require("node:fs");
const path = require("node:path");
const { Worker } = require("node:worker_threads");
const [index, addonFile, capture, times] = process.argv.slice(2);
const { FileDestination, FileFormat, Tracker } = require(index);
const addon = require(addonFile);
// It comes with objects of its own.
require(path.join(path.dirname(index), `../build/node-v${process.versions.modules}/heapray.node`));

const busy = `
  let kept = [];
  setInterval(() => { for (let i = 0; i < 20; i++) kept[i] = Buffer.allocUnsafeSlow(300 + i); }, 1);`;
const workers = [0, 1].map(() => new Worker(busy, { eval: true }));
const formats = Object.values(FileFormat);
let kept = [];

function once(i) {
  const tracker = new Tracker({
    destination: new FileDestination(capture, { overwrite: true, buffered: i % 3 === 0, compressOnExit: i % 100 === 0 }),
    fileFormat: formats[i % formats.length],
    memoryIntervalMs: 1 + (i % 20),
    followFork: i % 10 === 0,
  });
  for (let n = 0; n < 100; n++) kept[n] = Buffer.allocUnsafeSlow(300 + n);
  if (!tracker.stop()) throw new Error("The capture is not complete.");
}

/** The least of several looks, since V8 frees what it does not need when it likes to. */
async function state() {
  const memory = { heap: Infinity, rss: Infinity, mappings: Infinity };
  for (let i = 0; i < 8; i++) {
    gc();
    await new Promise((resolve) => setTimeout(resolve, 25));
    memory.heap = Math.min(memory.heap, addon.heapInUse());
    memory.rss = Math.min(memory.rss, process.memoryUsage().rss);
    memory.mappings = Math.min(memory.mappings, readFileSync("/proc/self/maps", "utf8").split("\n").length);
  }
  const status = readFileSync("/proc/self/status", "utf8");
  return {
    memory,
    imports: addon.imports(),
    descriptors: readdirSync("/proc/self/fd").length,
    threads: readdirSync("/proc/self/task").length,
    signals: status.match(/^Sig(?:Ign|Cgt|Blk).*$/gmu),
    environment: [process.env.NODE_OPTIONS ?? "", process.env.HEAPRAY_RUN ?? ""],
  };
}

setTimeout(async () => {
  const before = await state();
  for (let i = 0; i < times / 5; i++) once(i);
  const states = [];
  for (let part = 0; part < 6; part++) {
    for (let i = 0; i < times / 6; i++) once(i);
    states.push(await state());
  }
  console.log(JSON.stringify({ before, states }));
  for (const worker of workers) worker.terminate();
}, 200);
