import { execFileSync } from "node:child_process";
import { mkdirSync, realpathSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Folder, heapray, node, temporaryFolder } from "../support/heapray.js";
import { nodeVersions } from "../support/node-versions.js";
import { program } from "./truth.js";

// An addon finds the libraries that it brings along, though it is heapray that asks the dynamic linker for them.

let folder: Folder;
let code: string;
beforeAll(() => {
  folder = temporaryFolder();
  mkdirSync(folder.join("parts"));
  const part = folder.write("part.c", "int heapray_test_part(void) { return 1; }");
  execFileSync("gcc", ["-shared", "-fPIC", "-o", folder.join("parts/libpart.so"), part]);
  const headers = path.resolve(realpathSync(process.execPath), "../../include/node");
  const flags = ["-shared", "-fPIC", `-I${headers}`, "-Wl,--enable-new-dtags,-rpath,$ORIGIN/parts"];
  execFileSync("gcc", [...flags, "-o", folder.join("libraries.node"), program("libraries.c")]);
  const names = [
    "libpart.so",
    "$ORIGIN/parts/libpart.so",
    folder.join("parts/libpart.so"),
    "libabsent.so",
    "libm.so.6",
  ];
  code = `const load = require(${JSON.stringify(folder.join("libraries.node"))});
    console.log(JSON.stringify(${JSON.stringify(names)}.map(load)));`;
});
afterAll(() => folder.remove());

describe.each(nodeVersions)("on $name", ({ path: binary }) => {
  test("libraries are found as without heapray", () => {
    const args = ["run", "-q", "-f", "-o", folder.join("capture.bin"), "-e", code];
    const expected = { status: 0, signal: null, stdout: "[true,true,true,false,false]\n", stderr: "" };
    expect(node(["-e", code], { node: binary })).toEqual(expected);
    expect(heapray(args, { node: binary })).toEqual(expected);
  });
});
