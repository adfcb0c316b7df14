// @ts-nocheck
// Allocates more than fits into the capture, and says what it does.
console.log("begins");
function first() {
  for (let i = 0; i < 100; i++) Buffer./*@first*/allocUnsafeSlow(18013);
}
/*@begin <module>*/first();
//> 18013 x100 = first begin
let kept;
for (let i = 0; i < 150_000; i++) kept = Buffer.allocUnsafeSlow(43 + (i % 1000) * 8);
console.log("ends", kept.length);
process.exitCode = 5;
