import ts from "typescript";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Folder, heapray, temporaryFolder } from "../support/heapray.js";
import { nodeVersions } from "../support/node-versions.js";
import { expected, found, program, truthsOf } from "./truth.js";

// Where code can come from.

let folder: Folder;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.remove());

const TYPESCRIPT = `
interface Shape { readonly size: number }

abstract class Base<T extends Shape> {
  constructor(protected readonly shape: T) {}
  abstract make(): Buffer;
}

enum Size { Small = 9001 }

export class Maker extends Base<Shape> {
  make(): Buffer {
    const { size } = this.shape;
    return Buffer./*@make*/allocUnsafeSlow(size as number);
  }
}

const maker: Maker = new Maker({ size: Size.Small } satisfies Shape);
for (let i = 0; i < 3000; i++) {
  maker./*@start <module>*/make();
}
//> 9001 x3000 = make start
`;

describe.each(nodeVersions)("on $name", ({ path: binary }) => {
  function track(script: string, args: readonly string[] = [], nodeArgs: readonly string[] = []): string {
    const capture = folder.join("capture.bin");
    const flags = nodeArgs.map((flag) => `--node-arg=${flag}`);
    const ended = heapray(["run", "-q", "-f", "-o", capture, ...flags, script, ...args], { node: binary });
    expect(ended).toEqual({ status: 0, signal: null, stdout: "", stderr: "" });
    return capture;
  }

  test.each([1, 2000])("ES modules and asynchronous code, %d times", (rounds) => {
    const truths = truthsOf(["async.mjs", "imported.mjs", "loaded.cjs"].map(program), rounds);
    expect(found(track(program("async.mjs"), [String(rounds)]), truths)).toEqual(expected(truths));
  });

  test.each([1, 2000])("eval, Function and vm, %d times", (rounds) => {
    const truths = truthsOf([program("evals.cjs")], rounds);
    expect(found(track(program("evals.cjs"), [String(rounds)]), truths)).toEqual(expected(truths));
  });

  test.each([
    ["CRLF", (text: string) => text.replaceAll("\n", "\r\n")],
    ["CR", (text: string) => text.replaceAll("\n", "\r")],
    ["line separators", (text: string) => text.replace("\n", "\u2028").replace("\n", "\u2029")],
    ["a shebang", (text: string) => `#!/usr/bin/env node\n${text}`],
    ["a byte order mark", (text: string) => `\ufeff${text}`],
    ["two bytes a character", (text: string) => `const 日本 = "\u{1f600}";${text}`],
    ["no line end", (text: string) => text.replaceAll("\n", " ")],
  ])("a file with %s", (_, change) => {
    const text = `
      function make(size) { const text = "日本"; return Buffer./*@make*/allocUnsafeSlow(size); }
      /*@start <module>*/make(9011);
      //> 9011 = make start`;
    for (const extension of ["cjs", "mjs"]) {
      const script = folder.write(`a file é%20.${extension}`, change(text));
      const truths = truthsOf([script]);
      expect(found(track(script), truths)).toEqual(expected(truths));
    }
  });

  test("TypeScript, by its source map", () => {
    const source = folder.write("maker.ts", TYPESCRIPT);
    const { outputText } = ts.transpileModule(TYPESCRIPT, {
      fileName: source,
      compilerOptions: {
        target: ts.ScriptTarget.ES2022,
        module: ts.ModuleKind.ESNext,
        inlineSourceMap: true,
        removeComments: true,
      },
    });
    const script = folder.write("maker.mjs", outputText);
    const truths = truthsOf([source]);
    expect(found(track(script), truths)).toEqual(expected(truths));
  });
});
