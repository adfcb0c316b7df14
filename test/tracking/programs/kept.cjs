// @ts-nocheck
// 5,000,000 bytes, kept, from code that runs once.
const kept = [];
for (let i = 0; i < 500; i++) {
  kept.push(Buffer./*@keep <module>*/allocUnsafeSlow(10000));
}
globalThis.kept = kept;
//> 10000 x500 = keep
