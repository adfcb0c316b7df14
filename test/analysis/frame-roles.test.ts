import { expect, test } from "vitest";
import { isLoader, isMachinery } from "../../src/analysis/frame-roles.js";

test.each([
  ["wrapModuleLoad", "node:internal/modules/cjs/loader", true, false],
  ["requireBuiltin", "node:internal/bootstrap/realm", true, true],
  ["run", "node:internal/modules/esm/module_job", true, false],
  ["<module>", "node:internal/main/run_main_module", false, true],
  ["processTicksAndRejections", "node:internal/process/task_queues", false, true],
  ["listOnTimeout", "node:internal/timers", false, true],
  ["next", "<builtin>", false, true],
  ["Uint8Array", "<builtin>", false, false],
  ["readFileSync", "node:fs", false, false],
  ["createUnsafeBuffer", "node:internal/buffer", false, false],
  ["load", "/srv/node:internal/modules/x.js", false, false],
])("%s of %s: loads modules %s, only calls others %s", (name, file, loads, calls) => {
  const frame = { function: name, file };
  expect([isLoader(frame), isMachinery(frame)]).toEqual([loads, calls]);
});

test.each([
  ["v8::internal::(anonymous namespace)::Invoke", true],
  ["v8::internal::Execution::TryRunMicrotasks", true],
  ["node::InternalCallbackScope::~InternalCallbackScope", true],
  ["uv_run", true],
  ["clone3", true],
  ["node::Buffer::(anonymous namespace)::CreateUnsafeArrayBuffer", false],
  ["v8::internal::BackingStore::Allocate", false],
  ["operator new", false],
  ["mainLoop", false],
])("machine code %s only calls others: %s", (name, calls) => {
  expect(isMachinery({ function: name, file: "/usr/bin/node", native: true })).toBe(calls);
});
