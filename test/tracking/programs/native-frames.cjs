// @ts-nocheck
// Native code below JavaScript below native code. Argument: the addon.
const addon = require(process.argv[2]);

function first() {
  addon.allocate(900_001);
}
function second() {
  addon.allocateAndCall(900_002, () => third());
}
function third() {
  addon.allocate(900_003);
}
function again() {
  // One stretch of native frames after another at the same place, with a different outside.
  for (const size of [900_004, 900_005]) addon.allocateAndCall(size, size === 900_004 ? first : second);
}
first();
second();
again();
addon.inThread(900_006);
addon.queue(900_007);
