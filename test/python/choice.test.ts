import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Folder, heapray, root, temporaryFolder } from "../support/heapray.js";
import { pythons } from "../support/pythons.js";

const { version } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"));

let folder: Folder;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.remove());

/** Something that answers heapray's question as such a Python would; run with a program, it tells its name. */
function pretended(
  name: string,
  facts: Partial<Record<"kind" | "version" | "abi" | "found" | "heapray", string>> = {},
) {
  mkdirSync(path.dirname(folder.join(name)), { recursive: true });
  const { kind = "cpython", version: own = "3.12.1", abi = "", found = "found", heapray: has = version } = facts;
  const file = folder.join(name);
  const answer = [kind, own, abi, file, "", found, has].map((fact) => `'${fact}'`).join(" ");
  folder.write(
    name,
    `#!/bin/sh\ncase "$1" in */probe.py) printf '%s\\0' ${answer} >&3;; *) echo "${name}" "$@";; esac\n`,
  );
  chmodSync(file, 0o755);
  return file;
}

/** @param env in place of all that could name a Python */
function run(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const { VIRTUAL_ENV: _, ...rest } = process.env;
  return heapray(["run", "-q", ...args], { cwd: folder.path, env: { ...rest, ...env } });
}

describe("a program is run by Python", () => {
  test("that has Python's ending, names Python in its first line, is a folder with a __main__.py, a module or code", () => {
    pretended("bin/python3");
    const env = { PATH: `${folder.join("bin")}:${process.env.PATH}` };
    for (const name of ["a.py", "b.pyw", "c.pyz", "d.pyc"]) folder.write(name, "");
    folder.write("tool", "#!/usr/bin/env python3\n");
    folder.write("tool-with-flags", "#!/usr/bin/env -S python3 -Eu\n");
    mkdirSync(folder.join("package"));
    folder.write("package/__main__.py", "");
    for (const name of ["a.py", "b.pyw", "c.pyz", "d.pyc", "tool", "package"]) {
      expect(run([name, "-x"], env).stdout).toBe(`bin/python3 ${name} -x\n`);
    }
    // It would read nothing of heapray's under -E.
    expect(run(["tool-with-flags"], env).stdout).toBe("bin/python3 -u tool-with-flags\n");
    expect(run(["-m", "http.server", "--bind", "-q"], env).stdout).toBe("bin/python3 -m http.server --bind -q\n");
    expect(run(["-qc", "pass", "--", "-m"], env).stdout).toBe("bin/python3 -c pass -- -m\n");
    expect(run(["--python-arg=-X", "--python-arg", "dev", "a.py"], env).stdout).toBe("bin/python3 -X dev a.py\n");
    folder.write("node.cjs", "console.log('node')");
    expect(run(["node.cjs"], env).stdout).toBe("node\n");
  });

  test("that --python names, or the environment that is active, or the first on the PATH", () => {
    folder.write("a.py", "");
    pretended("venv/bin/python3");
    pretended("first/python3");
    pretended("second/python");
    const wanted = pretended("wanted");
    const PATH = [folder.join("first"), folder.join("second"), process.env.PATH].join(":");
    const VIRTUAL_ENV = folder.join("venv");
    expect(run(["--python", wanted, "a.py"], { VIRTUAL_ENV }).stdout).toBe("wanted a.py\n");
    expect(run(["--python", "python3", "node.js"], { PATH }).stderr).toContain("there is no script node.js");
    expect(run(["--python", "python3", "a.py"], { PATH, VIRTUAL_ENV }).stdout).toBe("first/python3 a.py\n");
    expect(run(["a.py"], { PATH, VIRTUAL_ENV }).stdout).toBe("venv/bin/python3 a.py\n");
    expect(run(["a.py"], { PATH }).stdout).toBe("first/python3 a.py\n");
    expect(run(["a.py"], { PATH: folder.join("second") }).stdout).toBe("second/python a.py\n");
  });

  test("that its first line names, if it is a command of an environment", () => {
    const named = pretended("env with spaces/bin/python3");
    const plain = pretended("env/bin/python3");
    folder.write("command", `#!${plain} -I\n`);
    folder.write("long-command", `#!/bin/sh\n'''exec' "${named}" "$0" "$@"\n' '''\n`);
    folder.write("script.py", `#!${plain}\n`);
    const PATH = `${path.dirname(pretended("path/python3"))}:${process.env.PATH}`;
    expect(run(["command"], { PATH }).stdout).toBe("env/bin/python3 command\n");
    expect(run(["long-command"], { PATH }).stdout).toBe("env with spaces/bin/python3 long-command\n");
    expect(run(["script.py"], { PATH }).stdout).toBe("path/python3 script.py\n");
  });
});

describe("one sentence tells of", () => {
  test.each([
    [{ kind: "pypy" }, "is pypy, and heapray is for CPython"],
    [{ version: "3.8.18" }, "3.9 to 3.14"],
    [{ version: "2.7.18" }, "3.9 to 3.14"],
    [{ version: "3.15.0" }, "3.9 to 3.14"],
    [{ version: "3.13.1", abi: "t" }, "free-threaded"],
    [{ found: "missing", heapray: "" }, `bin/python3 -m pip install ${path.join(root, "python")}".`],
    [{ found: "broken", heapray: "no agent" }, "(no agent)"],
    [{ heapray: "0.0.1" }, `has heapray 0.0.1, and this is ${version}`],
  ])("a Python that is %j", (facts, words) => {
    folder.write("a.py", "");
    const file = pretended("bin/python3", facts);
    const { status, stdout, stderr } = run(["--python", file, "a.py"]);
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toMatch(/^heapray: Python \d[^\n]*\.\n$/);
    expect(stderr).toContain(file);
    expect(stderr).toContain(words);
    expect(readdirSync(folder.path).filter((name) => name.endsWith(".bin"))).toEqual([]);
  });

  test.each([
    [["--trace-js-heap", "a.py"], "--trace-js-heap is for Node.js programs, and a.py is one of Python."],
    [["--node-arg=-x", "a.py"], "--node-arg is for Node.js programs, and a.py is one of Python."],
    [["--start-paused", "-m", "x"], "--start-paused is for Node.js programs, and the module x is one of Python."],
    [["-e", "1", "-c", "1"], "-e is for Node.js programs, and the code of -c is one of Python."],
    [["--native", "--embed-symbols", "a.py"], "--embed-symbols is for Node.js programs, and a.py is one of Python."],
    [
      ["--trace-python-allocators", "b.js"],
      "--trace-python-allocators is for Python programs, and b.js is one of Node.js.",
    ],
    [["--python-arg=-u", "-e", "1"], "--python-arg is for Python programs, and the program is one of Node.js."],
    [["-c", "1", "-m", "x"], undefined],
    [["--command=1", "--module=x"], undefined],
    [["--module", "x", "--command", "1"], undefined],
    [["--python-arg=-Es", "a.py"], "with -Es Python reads neither its environment nor heapray: leave it out."],
    [["--python", "/nowhere/python3", "a.py"], "there is no Python /nowhere/python3 to run; see --python."],
    [
      ["--python", "/bin/true", "a.py"],
      "/bin/true is not a Python that heapray can ask for its version; name another with --python.",
    ],
    [["--python", "python3"], 'there is no script to run; see "heapray run --help".'],
    [["c.py"], "there is no script c.py."],
  ])("%j", (args, sentence) => {
    folder.write("a.py", "");
    folder.write("b.js", "");
    const { PATH } = process.env;
    pretended("bin/python3");
    const { status, stderr } = run(args, { PATH: `${folder.join("bin")}:${PATH}` });
    // Behind the first of the two everything is the program's.
    if (sentence === undefined) expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    else expect({ status, stderr }).toEqual({ status: 1, stderr: `heapray: ${sentence}\n` });
  });
});

describe.runIf(pythons.length > 0)("a real Python without heapray", () => {
  test("is told how to get it, in one command", () => {
    const python = pythons[0]?.path ?? "";
    expect(spawnSync(python, ["-m", "venv", "--without-pip", folder.join("venv")]).status).toBe(0);
    folder.write("a.py", "");
    const own = folder.join("venv/bin/python3");
    const { status, stderr } = run(["--python", "venv/bin/python3", "a.py"]);
    expect(status).toBe(1);
    expect(stderr).toContain(`(${own}) does not have heapray; run "venv/bin/python`);
    expect(stderr).toContain(`-m pip install ${path.join(root, "python")}".`);
  });

  test("is not taken in by a heapray.py of the program's", () => {
    folder.write("heapray.py", "__version__ = '0.1.0'");
    folder.write("a.py", "");
    expect(spawnSync(pythons[0]?.path ?? "", ["-m", "venv", "--without-pip", folder.join("venv")]).status).toBe(0);
    expect(run(["--python", "venv/bin/python3", "a.py"]).stderr).toContain("does not have heapray");
  });
});
