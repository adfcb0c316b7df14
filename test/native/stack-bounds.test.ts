import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { testProgram } from "./test-programs.js";

test("stacks lie where the C library says", { timeout: 300_000 }, () => {
  const { status, stdout, stderr } = spawnSync(testProgram("stack_bounds_driver"), { encoding: "utf8" });
  expect(status, stderr).toBe(0);
  expect(stdout).toBe("");
});
