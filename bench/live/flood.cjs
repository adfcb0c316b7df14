// Sends records at a given rate: an allocation and its free each, from so many distinct stacks. Prints what it reached.
//   node flood.cjs <records per second> <seconds> <distinct stacks>
const [rate = 1e6, seconds = 5, stacks = 1] = process.argv.slice(2).map(Number);
const WIDTH = 10;
const levels = Math.max(1, Math.ceil(Math.log(stacks) / Math.log(WIDTH)));
const kept = [];

/** Ten functions of the same work, which are told apart by their lines. */
const branches = Array.from({ length: WIDTH }, (_, i) => {
  const text = `${"\n".repeat(i)}return function branch${i}(level, number, size) { return visit(level, number, size); }`;
  return new Function("visit", text)(visit);
});

/** Goes a way through the functions that the number tells. */
function visit(level, number, size) {
  if (level === 0) return Buffer.allocUnsafeSlow(size);
  return branches[number % WIDTH](level - 1, Math.floor(number / WIDTH), size);
}

const start = performance.now();
let made = 0;
for (let now = start; now - start < seconds * 1000; now = performance.now()) {
  // Each buffer is four allocations (the block and its bookkeeping) that are freed again.
  const due = Math.min(((now - start) / 1000) * (rate / 8), made + 2000);
  for (; made < due; made++) {
    const buffer = visit(levels, made % stacks, 100 + (made % 4000));
    // One of a hundred is held for a while.
    if (made % 100 === 0) kept.push(buffer);
  }
  if (kept.length > 20_000) kept.length = 0;
}
const elapsed = (performance.now() - start) / 1000;
process.stdout.write(`${Math.round(made / elapsed)} buffers per second for ${elapsed.toFixed(1)} s\n`);
