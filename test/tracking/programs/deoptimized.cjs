// @ts-nocheck
// Optimized code that V8 throws away while it is on the stack: its callees return elsewhere then.
const rounds = Number(process.argv[2]);

// What optimized code takes for constants, until they change.
globalThis.first = 1;
globalThis.second = 1;
globalThis.third = 1;

// A callback of what V8 does not inline, so that the callers' frames stay optimized.
function viaBuiltin(callback) {
  return "a"./*@viaBuiltin*/replace("a", callback).length;
}

function breakFirst() {
  return Buffer./*@breakFirst*/allocUnsafeSlow(19001).parent ? "" : "b";
}
let last = false;
function breaking() {
  if (last) globalThis.first = 2;
  return /*@breaking*/breakFirst();
}
function outer(i) {
  const before = first;
  const length = /*@outer*/viaBuiltin(breaking) + first;
  return before + length;
}
for (let i = 0; i < rounds; i++) {
  last = i === rounds - 1;
  /*@round <module>*/outer(i);
}
//> 19001 = breakFirst breaking viaBuiltin outer round

function atBottom() {
  if (last) globalThis.second = "another type";
  Buffer./*@atBottom*/allocUnsafeSlow(19009);
  return "c";
}
function recurse(depth, scale) {
  const text = "some text";
  if (depth === 0) return /*@bottom recurse*/viaBuiltin(atBottom);
  const below = /*@recurse*/recurse(depth - 1, scale + depth) + second;
  return below + text.length + scale;
}
for (let i = 0; i < rounds; i++) {
  last = i === rounds - 1;
  /*@deep <module>*/recurse(20, i);
}
//> 19009 = atBottom viaBuiltin bottom recurse*20 deep

// The same, where the running loop itself is the optimized code.
function inLoop(i) {
  if (i === rounds - 1) globalThis.third = 3;
  Buffer./*@inLoop*/allocUnsafeSlow(19013);
  return "d";
}
function loop(times) {
  let sum = 0;
  for (let i = 0; i < times; i++) {
    sum += third;
    sum += /*@loop*/viaBuiltin(() => /*@in-arrow <anonymous>*/inLoop(i));
    sum += third;
  }
  return sum;
}
/*@looping <module>*/loop(rounds);
//> 19013 = inLoop in-arrow viaBuiltin loop looping
