import { expect, test } from "vitest";
import { timedRun } from "../../bench/timed-run.mjs";

const script = (code: string): [string, ...string[]] => [process.execPath, "-e", code];

test("a run that fails is an error, with what it said", () => {
  expect(() => timedRun(script("console.error('broken'); process.exit(3)"))).toThrow(/: 3\nbroken/);
  expect(() => timedRun(["/no/such/program"])).toThrow(/ENOENT/);
});

test("a run that prints no milliseconds is an error", () => {
  expect(() => timedRun(script("console.log('done')"))).toThrow(/printed no milliseconds, but: done/);
});

test("what a program prints is found among what is printed around it", () => {
  const run = timedRun(
    script("console.log('starting'); console.log('{\"ms\": 12.5, \"memoryKiB\": 3}'); console.log('over')"),
  );
  expect(run).toMatchObject({ workMs: 12.5, printed: { memoryKiB: 3 } });
  expect(timedRun(script("console.log(270.5)"))).toMatchObject({ workMs: 270.5, printed: {} });
});

test("the processor's time is that of the process and what it started", () => {
  const spin = "const end = process.cpuUsage().user + 150000; while (process.cpuUsage().user < end);";
  const child = `require("child_process").execFileSync(process.execPath, ["-e", ${JSON.stringify(spin)}])`;
  const { cpuMs, wallMs } = timedRun(script(`${child}; ${spin} console.log(1)`));
  expect(cpuMs).toBeGreaterThan(270);
  expect(wallMs).toBeGreaterThan(270);
});
