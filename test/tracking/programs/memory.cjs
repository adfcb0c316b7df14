// @ts-nocheck
// Holds memory of each kind, for a while, and prints what Node.js says of it.
const { setTimeout: wait } = require("node:timers/promises");
const v8 = require("node:v8");
const vm = require("node:vm");
v8.setFlagsFromString("--expose-gc");
const collect = vm.runInNewContext("gc");
const external = new ArrayBuffer(60_000_000);
new Uint8Array(external).fill(1);
const objects = [];
for (let i = 0; i < 1_000_000; i++) objects.push({ i, next: objects[i - 1] });

async function main() {
  const start = Date.now();
  // At work, asleep, at work without coming back.
  for (let i = 0; i < 20; i++) {
    for (const end = Date.now() + 10; Date.now() < end; ) objects[i % objects.length].i++;
    await wait(5);
  }
  await wait(200);
  for (const end = Date.now() + 200; Date.now() < end; ) objects[0].i++;
  // What is collected between these figures and the end of tracking would be missing there.
  for (let i = 0; i < 3; i++) collect();
  await wait(100);
  console.log(JSON.stringify({ ...process.memoryUsage(), milliseconds: Date.now() - start, kept: external.byteLength }));
}
main();
