// @ts-nocheck
// Allocates without end in compiled code, on two threads, with the pool at work; each thread tells in a file how often
// it has, and when: `<name>.<thread>`, which holds the last 64 times.
const crypto = require("node:crypto");
const fs = require("node:fs");
const zlib = require("node:zlib");
const { Worker, isMainThread, workerData } = require("node:worker_threads");

const name = isMainThread ? process.argv[2] : workerData;
const size = isMainThread ? 16001 : 16003;
const told = fs.openSync(`${name}.${isMainThread ? "main" : "worker"}`, "w");
const kept = [];
let count = 0;

function work() {
  kept[count % 1000] = Buffer./*@work*/allocUnsafeSlow(size);
  count++;
}
function chunk() {
  for (let i = 0; i < 20; i++) /*@chunk*/work();
  fs.writeSync(told, `${count} ${Date.now()}`.padEnd(39) + "\n", ((count / 20) % 64) * 40);
  setImmediate(chunk);
}
//> 16001 = work chunk
//> 16003 = work chunk

function usePool() {
  zlib.deflate(Buffer.alloc(100_000, "heapray"), usePool);
}
function readFiles() {
  fs.readFile(__filename, readFiles);
}
function hash() {
  crypto.pbkdf2("secret", "salt", 1000, 64, "sha512", hash);
}

setImmediate(chunk);
if (isMainThread) {
  new Worker(__filename, { workerData: name });
  for (const start of [usePool, readFiles, hash]) start();
  console.log("ready");
}
