import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync } from "node:fs";
import path from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { heapray, root, temporaryFolder } from "../support/heapray.js";
import { pythons } from "../support/pythons.js";

const MINUTES = 60_000;
const folder = temporaryFolder();
afterAll(() => folder.remove());

interface Ran {
  readonly status: number | null;
  readonly output: string;
}

function run(program: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): Ran {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: folder.path, encoding: "utf8", env });
  return { status, output: `${stdout}${stderr}` };
}

/** What is in the sources' folder, but for what Python keeps of sources it has run. */
function sources(): string[] {
  const names = readdirSync(path.join(root, "python"), { recursive: true, encoding: "utf8" });
  return names.filter((name) => !name.includes("__pycache__")).sort();
}

const python = pythons.at(-1);
const environment = path.join(folder.path, "venv");
const binary = path.join(environment, "bin", "python");
const made = python && run(python.path, ["-m", "venv", environment]).status === 0;
const install = (what: string) => run(binary, ["-m", "pip", "install", "--disable-pip-version-check", what]);

describe.runIf(made)(`pip on ${python?.name}`, () => {
  test("installs the package from the checkout, and leaves nothing in it", { timeout: 10 * MINUTES }, (context) => {
    const before = sources();
    const { status, output } = install(path.join(root, "python"));
    const offline = /Could not find a version that satisfies the requirement setuptools/.test(output);
    if (offline && !process.env.CI) context.skip("there is no network to fetch setuptools from");
    expect(status, output).toBe(0);
    expect(sources()).toEqual(before);
    expect(existsSync(path.join(root, "python", "build"))).toBe(false);

    const program = "import heapray as memray\nwith memray.Tracker('out.bin'): kept = bytearray(12_345_678)";
    const ran = run(binary, ["-c", program]);
    expect(ran.status, ran.output).toBe(0);
    expect(heapray(["summary", path.join(folder.path, "out.bin")]).stdout).toMatch(/12\.34\dMB/);
    const version = heapray(["--version"]).stdout.trim();
    expect(run(binary, ["-m", "pip", "show", "heapray"]).output).toContain(`Version: ${version}\n`);
  });

  test("says what it lacks where there is only a part of the checkout", { timeout: 10 * MINUTES }, (context) => {
    const part = path.join(folder.path, "part");
    mkdirSync(part);
    cpSync(path.join(root, "python"), path.join(part, "python"), { recursive: true });
    const { status, output } = install(path.join(part, "python"));
    if (/Could not find a version/.test(output) && !process.env.CI) context.skip("there is no network");
    expect(status).not.toBe(0);
    expect(output).toMatch(
      /heapray is built from its whole checkout, and there is no .*package\.json: run `pip install/,
    );
  });
});

describe.runIf(python !== undefined)("the agent's build", () => {
  if (python === undefined) return;
  const build = (env: NodeJS.ProcessEnv) => {
    const script = path.join(root, "python", "build_agent.py");
    return run(python.path, [script, path.join(folder.path, "_agent.so")], { ...process.env, ...env });
  };

  test("names the compiler that is missing, in one line", () => {
    const { status, output } = build({ PATH: folder.path, CXX: "" });
    expect(status).toBe(1);
    expect(output).toBe("heapray's agent is compiled while it is installed, and g++ is missing: install g++.\n");
  });

  test("says so when the compiler fails", { timeout: MINUTES }, () => {
    const { status, output } = build({ CXX: "false" });
    expect(status).toBe(1);
    expect(output).toMatch(/heapray's agent does not compile for Python 3\.\d+\.\d+: see above\.\n$/);
  });
});
