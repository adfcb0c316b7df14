// 200,000 allocations of 200 bytes, twenty calls deep. Prints the loop's milliseconds.
const ALLOCATIONS = 200_000;
const SIZE = 200;
const DEPTH = 20;

function atDepth(depth, work) {
  return depth <= 1 ? work() : atDepth(depth - 1, work);
}

function allocate() {
  let bytes = 0;
  for (let i = 0; i < ALLOCATIONS; i++) bytes += Buffer.allocUnsafeSlow(SIZE).length;
  return bytes;
}

const start = process.hrtime.bigint();
const bytes = atDepth(DEPTH, allocate);
const milliseconds = Number(process.hrtime.bigint() - start) / 1e6;
if (bytes !== ALLOCATIONS * SIZE) throw new Error(`allocated ${bytes} bytes`);
process.stdout.write(`${milliseconds}\n`);
