// Runs the tests of the agent's parts with programs built under the compiler's sanitizers: `npm run sanitize`.
import { spawnSync } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.resolve(fileURLToPath(import.meta.url), "../..");

for (const sanitizers of ["address,undefined", "thread"]) {
  console.log(`== ${sanitizers}`);
  const { status } = spawnSync(process.execPath, ["node_modules/vitest/vitest.mjs", "run", "test/native"], {
    cwd: root,
    // A report ends the program with a failure.
    env: {
      ...process.env,
      HEAPRAY_SANITIZE: sanitizers,
      ASAN_OPTIONS: "detect_leaks=1:abort_on_error=0",
      UBSAN_OPTIONS: "print_stacktrace=1",
      TSAN_OPTIONS: "halt_on_error=1:second_deadlock_stack=1",
    },
    stdio: ["ignore", "inherit", "inherit"],
  });
  if (status !== 0) process.exitCode = 1;
}
