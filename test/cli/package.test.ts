import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, symlinkSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Folder, heapray, node, root, temporaryFolder } from "../support/heapray.js";

let folder: Folder;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.remove());

test("the package holds what tracking and building the agent need, and no tests", () => {
  const { stdout } = spawnSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
    cwd: root,
    encoding: "utf8",
    timeout: 60_000,
  });
  const files: string[] = JSON.parse(stdout.slice(stdout.indexOf("[")))[0].files.map(
    (file: { path: string }) => file.path,
  );
  const needed = ["bin/heapray.js", "dist/index.js", "dist/index.cjs", "dist/preload.cjs", "dist/cli/main.cjs"];
  const builds = ["scripts/install-agent.mjs", "scripts/build-native.mjs", "native/Makefile", "native/tracker.cc"];
  const python = ["build_agent.py", "setup.py", "heapray/_run.py", "launch/probe.py", "launch/remote_call.py"];
  const ofPython = [...python, "launch/preload/sitecustomize.py"].map((file) => `python/${file}`);
  expect(files).toEqual(expect.arrayContaining([...needed, ...builds, ...ofPython]));
  expect(files.filter((file) => file.startsWith("python/") && !/\.(?:pyi?|toml|typed)$/.test(file))).toEqual([]);
  expect(files.filter((file) => /(^|\/)test\//.test(file))).toEqual([]);
  const sources = readdirSync(path.join(root, "native"), { recursive: true, encoding: "utf8" });
  for (const source of sources.filter((file) => /\.(cc|h)$/.test(file) && !file.startsWith("test/"))) {
    expect(files).toContain(`native/${source}`);
  }
});

test("it is found under its name and under its path, by require and by import", () => {
  mkdirSync(folder.join("node_modules"));
  symlinkSync(root, folder.join("node_modules/heapray"));
  folder.write(
    "named.cjs",
    `console.log(typeof require("heapray").Tracker, typeof require(${JSON.stringify(root)}).Tracker)`,
  );
  folder.write("named.mjs", `import { Tracker } from "heapray"; console.log(typeof Tracker)`);
  expect(node(["named.cjs"], { cwd: folder.path }).stdout).toBe("function function\n");
  expect(node(["named.mjs"], { cwd: folder.path }).stdout).toBe("function\n");
});

test.each([
  [["run", "--wat", "x"], "heapray run --help"],
  [["transform", "csv"], "heapray transform csv --help"],
  [["nothing"], "heapray --help"],
])("a usage error of %j names the help that tells more", (args, help) => {
  const { status, stderr } = heapray(args, { cwd: folder.path });
  expect(status).toBe(1);
  expect(stderr).toMatch(/^heapray: [^\n]+\n$/);
  expect(stderr).toContain(`see "${help}".`);
});

test.each(["run", "flamegraph", "summary", "transform", "parse"])("help %s is what %s --help prints", (command) => {
  const help = heapray(["help", command], { cwd: folder.path });
  expect(help).toEqual(heapray([command, "--help"], { cwd: folder.path }));
  expect(help).toMatchObject({ status: 0, stderr: "", stdout: expect.stringContaining(`Usage: heapray ${command}`) });
});

describe("installed as a copy", () => {
  /** Unpacks the package, as npm does before it runs the install script. */
  function unpack(): { readonly script: string; readonly agent: string } {
    const pack = ["pack", "--silent", "--ignore-scripts", "--pack-destination", folder.path];
    expect(spawnSync("npm", pack, { cwd: root, timeout: 60_000 }).status).toBe(0);
    const [tarball = ""] = readdirSync(folder.path);
    expect(spawnSync("tar", ["-xzf", tarball], { cwd: folder.path }).status).toBe(0);
    const copy = folder.join("package");
    const agent = path.join(copy, "build", `node-v${process.versions.modules}`, "heapray.node");
    return { script: path.join(copy, "scripts/install-agent.mjs"), agent };
  }

  test("the agent is built for the running Node.js", () => {
    const { script, agent } = unpack();
    expect(node([script])).toMatchObject({ status: 0 });
    expect(existsSync(agent)).toBe(true);
  }, 300_000);

  test("without a compiler, the installation goes on and tells what is missing", () => {
    const { script, agent } = unpack();
    const ended = node([script], { env: { PATH: folder.path } });
    expect(ended.status).toBe(0);
    expect(ended.stderr).toContain("heapray: the agent is not built, so programs cannot be tracked: ");
    expect(existsSync(agent)).toBe(false);
  });
});
