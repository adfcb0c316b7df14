// @ts-nocheck
// Holds much on the JavaScript heap, passes much by, and tells by how much heapUsed has grown meanwhile.
const { writeFileSync } = require("node:fs");
const kept = [];

class Account {
  constructor(i) {
    this.name = `account ${i}`;
    this.history = [i, i + 1, i + 2];
    this.balance = i + 0.5;
  }
}

function hold() {
  for (let i = 0; i < 150_000; i++) {
    kept.push(new Account(i));
    kept.push({ id: i, tags: { a: `tag ${i}`, b: [i] }, next: null });
    kept.push(() => i);
    if (i % 10 === 0) kept.push(`${"long text ".repeat(20)}${i}`.split("").reverse().join(""));
    if (i % 100 === 0) kept.push(new Map([[i, { value: i }]]), new Uint8Array(40), Buffer.from(`text ${i}`));
    if (i % 1000 === 0) kept.push(new Array(20_000).fill(i));
  }
}

function pass() {
  const passing = [];
  for (let i = 0; i < 400_000; i++) passing.push({ a: i, b: [i, i], c: `passing ${i}` });
  return passing.length;
}

const used = () => {
  globalThis.gc();
  globalThis.gc();
  return process.memoryUsage().heapUsed;
};
const before = used();
pass();
hold();
const grown = used() - before;
writeFileSync(process.argv[2], JSON.stringify({ grown }));
