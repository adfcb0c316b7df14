// @ts-nocheck
// Does what it is told on standard input, a word at a time, and says when it is done.
const v8 = require("node:v8");
const vm = require("node:vm");
v8.setFlagsFromString("--expose-gc");
const collect = vm.runInNewContext("gc");
const kept = [];

const doing = {
  hold() {
    for (let i = 0; i < 10; i++) kept.push(Buffer./*@hold*/allocUnsafeSlow(100_003));
  },
  free() {
    kept.length = 0;
    collect();
    collect();
  },
  // Some 60 bytes of records each time.
  flood() {
    for (let i = 0; i < 1_500_000; i++) Buffer.allocUnsafeSlow(40 + (i % 4000));
  },
  trickle() {
    for (let i = 0; i < 250_000; i++) Buffer.allocUnsafeSlow(40 + (i % 4000));
  },
  some() {
    for (let i = 0; i < 20_000; i++) Buffer.allocUnsafeSlow(40 + (i % 4000));
  },
  fail() {
    process.exit(9);
  },
  end() {
    process.stdin.destroy();
  },
};
process.stdin.setEncoding("utf8").on("data", (text) => {
  for (const word of text.trim().split("\n")) {
    doing[word]/*@told <anonymous>*/();
    console.log(`${word} done`);
  }
});
console.log(`pid ${process.pid}`);
//> 100003 x10 = hold told
