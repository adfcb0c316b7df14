import { transformSync } from "esbuild";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FileReader } from "../../src/analysis/file-reader.js";
import { type Folder, heapray, temporaryFolder } from "../support/heapray.js";
import { nodeVersions } from "../support/node-versions.js";

let folder: Folder;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.remove());

const SOURCE = `
  const kept = [];
  const key = Symbol("key");
  function declaredFunction(size) { kept.push(Buffer.allocUnsafeSlow(size)); }
  const arrowFunction = (size) => { declaredFunction(size); kept.push(0); };
  const assignedFunction = async function (size) { arrowFunction(size); kept.push(1); };
  class Things {
    *[Symbol.iterator]() { assignedFunction(14_057); yield 1; }
    [key](list) { list.map((one) => [...one]); }
  }
  new Things()[key]([new Things()]);
`;
const NAMES = ["declaredFunction", "arrowFunction", "assignedFunction", "[Symbol.iterator]", "<anonymous>"];

/** The program's own functions on the stack of the one allocation of 14,057 bytes, innermost first. */
function namesIn(capture: string, sourceMaps: boolean): string[] {
  using reader = new FileReader(capture, { sourceMaps });
  const found = [...reader.getAllocationRecords()].find(({ size }) => size === 14_057);
  return (found?.stackTrace() ?? []).filter(({ file }) => file.startsWith(folder.path)).map((frame) => frame.function);
}

describe.each(nodeVersions)("on $name", ({ path: binary }) => {
  test("minified functions have their names back, computed ones are called by their expression", () => {
    const options = { minify: true, format: "iife", sourcemap: "inline", sourcefile: "things.ts" } as const;
    const { code } = transformSync(SOURCE, options);
    expect(code).not.toMatch(/^[^#]*declaredFunction/);
    const script = folder.write("minified.cjs", code);
    expect(heapray(["run", "-q", "-o", "a.bin", script], { cwd: folder.path, node: binary }).status).toBe(0);
    const names = namesIn(folder.join("a.bin"), true);
    expect(names.slice(0, 5)).toEqual(NAMES);
    expect(names[5]).toMatch(/^\[\w+\]$/);
    expect(namesIn(folder.join("a.bin"), false)).not.toContain("declaredFunction");
  });

  test("without a source map, names are as they are", () => {
    const script = folder.write("plain.cjs", SOURCE);
    expect(heapray(["run", "-q", "-o", "a.bin", script], { cwd: folder.path, node: binary }).status).toBe(0);
    expect(namesIn(folder.join("a.bin"), true).slice(0, 6)).toEqual([...NAMES, "[key]"]);
  });
});
