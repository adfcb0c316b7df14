// @ts-nocheck
// A WebAssembly memory counts by its pages, not by the gigabytes that V8 reserves for it. Needs --expose-gc.
const { setTimeout: wait } = require("node:timers/promises");

function make() {
  return /*@make*/new WebAssembly.Memory({ initial: 1, maximum: 100 });
}
function grow(memory) {
  memory./*@grow*/grow(2);
}

async function main() {
  let memory = /*@made main*/make();
  /*@grown main*/grow(memory);
  new Uint8Array(memory.buffer)[196_607] = 1;
  memory = undefined;
  for (let i = 0; i < 10; i++) {
    await wait(5);
    gc();
  }
}
/*@start <module>*/main();
//> 65536 x1 = make made start
//> 131072 x1 = grow grown start
