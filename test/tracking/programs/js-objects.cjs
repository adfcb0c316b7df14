// @ts-nocheck
// Makes 10,000 objects in each of its functions, and keeps them.
const kept = new Array(100_000).fill(null);
let at = 0;

class Pair {
  constructor(first, second) {
    this.first = first;
    this.second = second;
  }
}

function closures(n) {
  for (let i = 0; i < n; i++) {
    kept[at++] = () => kept;
  }
}

function twoLines(n) {
  for (let i = 0; i < n; i++) {
    kept[at++] = new Float64Array(3);
    kept[at++] = () => i;
  }
}

function makePair(i) {
  return new Pair(i, i);
}

function inlined(n) {
  for (let i = 0; i < n; i++) {
    kept[at++] = makePair(i);
  }
}

// Once for V8 to see what they do; what that left goes.
for (const make of [closures, twoLines, inlined]) make(2000);
at = 0;
kept.fill(null);
globalThis.gc();
for (const make of [closures, twoLines, inlined]) make(10_000);
