import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import path from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { root } from "../support/heapray.js";
import { pythons, withHeapray } from "../support/pythons.js";

const tests = path.join(root, "python", "tests");
const modules = readdirSync(tests)
  .filter((name) => /^test_.*\.py$/.test(name))
  .map((name) => name.slice(0, -".py".length));

test("there is a Python to test on", () => {
  expect(pythons.length).toBeGreaterThan(0);
});

describe.each(pythons)("the package on $name", (python) => {
  beforeAll(() => {
    withHeapray(python);
  }, 600_000);

  test.each(modules)("%s", { timeout: 300_000 }, (module) => {
    const { status, stderr } = spawnSync(withHeapray(python), ["-m", "unittest", module], {
      cwd: tests,
      encoding: "utf8",
      env: { ...process.env, PYTHONDONTWRITEBYTECODE: "1" },
    });
    expect(status, stderr).toBe(0);
    expect(stderr).toMatch(/^Ran [1-9]\d* tests?/m);
  });
});
