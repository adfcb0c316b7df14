// @ts-nocheck
// Code that V8 inlines in several places, or compiles anew: every allocation has to keep its own callers.
const rounds = Number(process.argv[2]);

const leaf = (size) => Buffer./*@leaf*/allocUnsafeSlow(size);
function mid(size) { return /*@mid*/leaf(size); }
function twice(a, b) {
  return [/*@first twice*/mid(a), /*@second twice*/mid(b),
    /*@direct twice*/leaf(a + 100)];
}
for (let i = 0; i < rounds; i++) /*@several <module>*/twice(6001, 6007);
//> 6001 = leaf mid first several
//> 6007 = leaf mid second several
//> 6101 = leaf direct several

// Inlined, then thrown out by a value of another type, then inlined again.
function add(a, b) { return a + b; }
function unstable(size, other) {
  const buffer = Buffer./*@unstable*/allocUnsafeSlow(size);
  /*@unused*/add(size, other);
  return buffer;
}
function drive(size, others) {
  for (const other of others) for (let i = 0; i < rounds / 4; i++) /*@drive*/unstable(size, other);
}
/*@deoptimized <module>*/drive(6011, [1, 1.5, "text", 10n ** 3n === 1000n, {}]);
//> 6011 x1.25N = unstable drive deoptimized

// Closures of one function's text.
function makeCounter(size) {
  return function count() { return Buffer./*@count*/allocUnsafeSlow(size); };
}
const counters = [makeCounter(6029), makeCounter(6037), makeCounter(6043)];
for (let i = 0; i < rounds; i++) for (const counter of counters) /*@counters <module>*/counter();
//> 6029 = count counters
//> 6037 = count counters
//> 6043 = count counters

// One call, several methods; deep inlining through constructors and callbacks.
class Square { draw(size) { return Buffer./*@Square.draw draw*/allocUnsafeSlow(size); } }
class Circle { draw(size) { return Buffer./*@Circle.draw draw*/allocUnsafeSlow(size + 6); } }
class Holder {
  constructor(shapes, size) {
    this.buffers = shapes./*@map Holder*/map((shape) => shape./*@in-map <anonymous>*/draw(size));
  }
}
const shapes = [new Square(), new Circle()];
function hold(size) {
  try {
    return /*@new-Holder hold*/new Holder(shapes, size);
  } finally {
    /*@in-finally hold*/leaf(size + 14);
  }
}
(function outer() {
  for (let i = 0; i < rounds; i++) /*@outer*/hold(6047);
})/*@called <module>*/();
//> 6047 = Square.draw in-map map new-Holder outer called
//> 6053 = Circle.draw in-map map new-Holder outer called
//> 6061 = leaf in-finally outer called

// One long loop, compiled while it runs.
function longLoop(size, times) {
  let last;
  for (let i = 0; i < times; i++) {
    if (i % 2 === 0) last = /*@even longLoop*/mid(size);
    else
      last = /*@odd longLoop*/mid(size + 6);
  }
  return last;
}
/*@loop <module>*/longLoop(6067, rounds * 2);
//> 6067 = leaf mid even loop
//> 6073 = leaf mid odd loop

// The same, called by built-ins that are inlined themselves.
function callbacks(size) {
  return [size]
    ./*@each callbacks*/forEach((value) => {
      [value + 10]./*@some <anonymous>*/some((inner) => Buffer
        ./*@innermost <anonymous>*/allocUnsafeSlow(inner).length === 0);
    });
}
for (let i = 0; i < rounds; i++) /*@nested <module>*/callbacks(6079);
//> 6089 = innermost some each nested
