// node scaled-loop.cjs <iterations> <depth>: allocates that often, that many calls deep. Prints the milliseconds and what
// the process holds in the end.
const { printed } = require("./scale-figures.cjs");

const [iterations, depth] = process.argv.slice(2).map(Number);

function atDepth(depth, work) {
  return depth <= 1 ? work() : atDepth(depth - 1, work);
}

function allocate() {
  let bytes = 0;
  for (let i = 0; i < iterations; i++) bytes += Buffer.allocUnsafeSlow(200).length;
  return bytes;
}

const start = process.hrtime.bigint();
if (atDepth(depth, allocate) !== iterations * 200) throw new Error("it allocated something else");
process.stdout.write(printed(start));
