// @ts-nocheck
// Allocates until it is killed, and prints how often it has, and when, every now and then.
const fs = require("node:fs");
const kept = new Array(200);
function work(i) {
  kept[i % 200] = Buffer./*@work*/allocUnsafeSlow(16001);
}
fs.writeSync(1, "ready\n");
for (let i = 1; ; i++) {
  /*@endless <module>*/work(i);
  if (i % 100 === 0) fs.writeSync(1, `${i} ${Date.now()}\n`);
}
//> 16001 = work endless
