// @ts-nocheck
// Asynchronous code: what runs after an await has no callers but those that V8 sees.
import { imported } from "./imported.mjs";

const rounds = Number(process.argv[2]);

async function awaits(size) {
  Buffer./*@before awaits*/allocUnsafeSlow(size);
  await null;
  Buffer./*@after awaits*/allocUnsafeSlow(size + 6);
  await new Promise((resolve) => setImmediate(resolve));
  return /*@helper-call awaits*/helper(size + 8);
}
function helper(size) {
  return Buffer./*@helper*/allocUnsafeSlow(size);
}
for (let i = 0; i < rounds; i++) await /*@top <module>*/awaits(7001);
//> 7001 = before top
//> 7007 = after
//> 7009 = helper helper-call

async function* produce(size) {
  yield Buffer./*@produced produce*/allocUnsafeSlow(size);
  await null;
  yield Buffer./*@produced-later produce*/allocUnsafeSlow(size + 6);
}
async function consume() {
  for await (const /*@consume*/buffer of produce(7013)) buffer.length;
}
for (let i = 0; i < rounds; i++) await /*@consume-call <module>*/consume();
//> 7013 = produced consume consume-call
//> 7019 = produced-later

function promise(size) {
  return /*@promise*/new Promise(function execute(resolve) { resolve(Buffer./*@executor execute*/allocUnsafeSlow(size)); });
}
for (let i = 0; i < rounds; i++) {
  await Promise.resolve(7027).then((size) => Buffer./*@then <anonymous>*/allocUnsafeSlow(size));
  await Promise.reject(7039).catch(function rejected(size) { Buffer./*@rejected*/allocUnsafeSlow(size); });
  await /*@call-promise <module>*/promise(7043);
  await { then(resolve) { resolve(Buffer./*@thenable then*/allocUnsafeSlow(7057).length); } };
}
//> 7027 = then
//> 7039 = rejected
//> 7043 = executor promise call-promise
//> 7057 = thenable

for (let i = 0; i < 200; i++) {
  await new Promise((resolve) => setTimeout(() => resolve(Buffer./*@timer <anonymous>*/allocUnsafeSlow(7069)), 0));
  await new Promise((resolve) => process.nextTick(() => resolve(Buffer./*@tick <anonymous>*/allocUnsafeSlow(7079))));
  await new Promise((resolve) => queueMicrotask(() => resolve(Buffer./*@microtask <anonymous>*/allocUnsafeSlow(7103))));
}
//> 7069 x200 = timer
//> 7079 x200 = tick
//> 7103 x200 = microtask

for (let i = 0; i < rounds; i++) /*@import-call <module>*/imported(7109);
//> 7109 = imported import-call

const { loaded } = await import("./loaded.cjs");
for (let i = 0; i < rounds; i++) /*@loaded-call <module>*/loaded(7121);
//> 7121 = loaded loaded-call
//> 7127 x1 = loading

export default Buffer./*@export <module>*/allocUnsafeSlow(7129);
//> 7129 x1 = export
