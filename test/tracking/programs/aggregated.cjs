// Holds known bytes, most of them in the middle: run with --expose-gc.
const kept = [];
let passing = [];

function hold() {
  for (let i = 0; i < 100; i++) kept.push(Buffer.allocUnsafeSlow(70_001));
}

function pass() {
  for (let i = 0; i < 80; i++) passing.push(Buffer.allocUnsafeSlow(90_001));
}

function holdMore() {
  for (let i = 0; i < 20; i++) kept.push(Buffer.allocUnsafeSlow(50_001));
}

async function main() {
  hold();
  const before = process.memoryUsage().arrayBuffers;
  pass();
  passing = [];
  // The collector gives buffers back when it gets to it.
  while (process.memoryUsage().arrayBuffers > before) {
    globalThis.gc?.();
    await new Promise(setImmediate);
  }
  holdMore();
}

main();
