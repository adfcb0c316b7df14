// @ts-nocheck
// Code that was compiled, optimized and is running when the tracker starts. Arguments: rounds, heapray, the capture.
const rounds = Number(process.argv[2]);
const { Tracker } = require(process.argv[3]);

function leaf(size) {
  return Buffer./*@leaf*/allocUnsafeSlow(size);
}
class Middle {
  call(size) {
    return (
      /*@call*/leaf(size)
    );
  }
}
const middle = new Middle();
function run(size, times) {
  for (let i = 0; i < times; i++) middle./*@run*/call(size);
}
function* generate(size) {
  for (;;) {
    Buffer./*@generate*/allocUnsafeSlow(size);
    yield;
  }
}
const callback = (size) => Buffer./*@callback*/allocUnsafeSlow(size);
const twoOnALine = (size) => { Buffer./*@one twoOnALine*/allocUnsafeSlow(size); return Buffer./*@two twoOnALine*/allocUnsafeSlow(size + 6); };
const generator = generate(13009);

run(13001, rounds);
for (let i = 0; i < rounds; i++) generator.next();
for (let i = 0; i < rounds; i++) [13003].map(callback);
for (let i = 0; i < rounds; i++) twoOnALine(13033);

function start(times) {
  let tracker;
  for (let i = 0; i < times; i++) {
    if (i === times - 5) tracker = new Tracker(process.argv[4]);
    /*@start*/leaf(13007);
  }
  /*@more start*/run(13001, 1000);
  for (let i = 0; i < 1000; i++) generator./*@next start*/next();
  for (let i = 0; i < 1000; i++) [13003]./*@map start*/map(callback);
  for (let i = 0; i < 1000; i++) /*@line start*/twoOnALine(13033);
  tracker.stop();
}
/*@top <module>*/start(rounds + 5);
//> 13001 x1000 = leaf call run more top
//> 13003 x1000 = callback map top
//> 13007 x5 = leaf start top
//> 13009 x1000 = generate next top
//> 13033 x1000 = one line top
//> 13039 x1000 = two line top
