// @ts-nocheck
// A program that uses everything at once and checks its own results, while tracking starts and stops:
//   node --expose-gc stress.cjs <index.cjs> <folder for captures> <seconds> [addon]
// Prints what it did; fails when a result is wrong or a tracker cannot complete its capture.
const assert = require("node:assert");
const crypto = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");
const zlib = require("node:zlib");
const { promisify } = require("node:util");
const { Worker, isMainThread, parentPort, workerData } = require("node:worker_threads");

const WORKERS = 8;
const done = { loops: 0, pool: 0, timers: 0, collections: 0, workers: 0, sessions: 0 };
const count = (what) => done[what]++;
const wait = promisify(setTimeout);

/** Buffers and objects that are checked when they are replaced. */
function compute(state) {
  for (let i = 0; i < 200; i++) {
    const at = Math.floor(Math.random() * 100);
    const old = state[at];
    if (old) {
      assert.strictEqual(old.buffer.length, old.size);
      assert.strictEqual(old.buffer[old.size - 1], old.size & 255);
      assert.strictEqual(old.text, `${old.size}`.repeat(3));
    }
    const size = 1 + Math.floor(Math.random() * 5000);
    state[at] = { size, buffer: Buffer.allocUnsafeSlow(size).fill(size & 255), text: `${size}`.repeat(3) };
  }
  const made = new Function("x", `return x.map((v) => v * ${1 + Math.floor(Math.random() * 9)}).length`);
  assert.strictEqual(made([1, 2, 3]), 3);
  count("loops");
}

/** Without `pack`, no zlib: Node.js 22 to 26 abort by themselves, untracked too, when a worker is terminated within a stream's constructor. */
async function usePool({ pack = true } = {}) {
  const data = crypto.randomBytes(1000 + Math.floor(Math.random() * 50_000));
  const [packed, key, text] = await Promise.all([
    pack ? promisify(zlib.deflate)(data) : data,
    promisify(crypto.pbkdf2)("secret", "salt", 200, 32, "sha256"),
    fs.promises.readFile(__filename, "utf8"),
  ]);
  if (pack) assert.ok((await promisify(zlib.inflate)(packed)).equals(data));
  assert.ok(key.equals(crypto.pbkdf2Sync("secret", "salt", 200, 32, "sha256")));
  assert.ok(text.startsWith("// @ts-nocheck"));
  count("pool");
}

async function worker({ end, addon: addonFile, terminated }) {
  const addon = addonFile && require(addonFile);
  const state = [];
  for (let i = 0; Date.now() < end; i++) {
    compute(state);
    if (i % 10 === 0) await usePool({ pack: !terminated });
    if (i % 20 === 0 && addon) addon.shortThreads(2);
    if (i % 50 === 0) {
      gc();
      count("collections");
    }
    await wait(0);
  }
  parentPort.postMessage(done);
}

/** Workers that end at any time: by themselves, or terminated. */
async function keepWorkers(end, addon) {
  const add = (other) => {
    for (const [what, times] of Object.entries(other)) done[what] += times;
  };
  async function one(index) {
    while (Date.now() < end) {
      const life = Math.min(end, Date.now() + 500 + Math.random() * 3000);
      const terminated = index % 4 === 0;
      const thread = new Worker(__filename, { workerData: { end: life, addon, terminated } });
      count("workers");
      thread.on("message", add);
      const ended = new Promise((resolve, reject) => {
        thread.on("exit", resolve);
        thread.on("error", reject);
      });
      if (terminated) {
        await wait(Math.random() * 800);
        await thread.terminate();
      }
      await ended;
    }
  }
  await Promise.all(Array.from({ length: WORKERS }, (_, index) => one(index)));
}

async function keepTracking(end, index, folder) {
  const { FileDestination, FileFormat, Tracker } = require(index);
  const formats = Object.values(FileFormat);
  for (let i = 0; Date.now() < end; i++) {
    const file = path.join(folder, `${i % 4}.bin`);
    const tracker = new Tracker({
      destination: new FileDestination(file, { overwrite: true, buffered: i % 3 === 0, compressOnExit: i % 16 === 0 }),
      fileFormat: formats[i % formats.length],
      memoryIntervalMs: 1 + (i % 20),
      nativeTraces: i % 4 === 1,
      traceJsHeap: i % 7 === 2,
      followFork: i % 5 === 0,
    });
    await wait(Math.random() * (i % 10 === 0 ? 1000 : 200));
    assert.ok(tracker.active);
    assert.ok(tracker.stop(), "a capture is not complete");
    count("sessions");
    if (i % 3 === 0) await wait(Math.random() * 20);
  }
}

async function main([index, folder, seconds, addon]) {
  const end = Date.now() + Number(seconds) * 1000;
  const timers = Array.from({ length: 20 }, (_, i) => setInterval(() => count("timers"), 1 + i));
  const state = [];
  const work = async (step, pause) => {
    while (Date.now() < end) {
      await step();
      await wait(pause);
    }
  };
  await Promise.all([
    work(() => compute(state), 0),
    work(() => usePool(), 0),
    work(() => usePool(), 1),
    work(() => (gc(), count("collections")), 50),
    keepWorkers(end, addon),
    keepTracking(end, index, folder),
  ]);
  for (const timer of timers) clearInterval(timer);
  console.log(JSON.stringify(done));
}

const run = isMainThread ? main(process.argv.slice(2)) : worker(workerData);
run.catch((error) => {
  console.error(error);
  process.exit(1);
});
