import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import ts from "typescript";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Frame } from "../../src/capture/records.js";
import { toPath, toUrl } from "../../src/symbols/file-urls.js";
import { SourceMaps } from "../../src/symbols/source-maps.js";
import { SourceText } from "../../src/symbols/source-text.js";
import { readTextFile } from "../../src/symbols/text-files.js";
import { CaptureWriter } from "../support/capture-writer.js";
import { readerOf } from "../support/memory-reader.js";

const SOURCE = `interface Photo { readonly name: string; readonly bytes: number }

// Types are gone in the output, so that lines differ.
type Photos = Map<string, Photo>;

export class Album {
  private readonly photos: Photos = new Map();
  add(name: string): Buffer {
    return Buffer.allocUnsafeSlow(10_000);
  }
}
`;
const CALL = "allocUnsafeSlow(10";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "heapray maps-"));
});
afterEach(() => rmSync(root, { recursive: true }));

function write(path: string, text: string): string {
  const full = join(root, path);
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, text);
  return full;
}

/** 1-based line and column of a text. */
function find(text: string, what: string): { line: number; column: number } {
  const before = text.slice(0, text.indexOf(what)).split("\n");
  return { line: before.length, column: (before.at(-1) as string).length + 1 };
}

const ORIGINAL = find(SOURCE, CALL);

/** Compiles src/album.ts to dist/album.js; the script, its sourceMappingURL and the place of the call in it. */
function compile(options: ts.CompilerOptions): { script: string; mapUrl: string; line: number; column: number } {
  write("src/album.ts", SOURCE);
  const { outputText, sourceMapText } = ts.transpileModule(SOURCE, {
    fileName: "../src/album.ts",
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, ...options },
  });
  const script = write("dist/album.js", outputText);
  // transpileModule thinks that the output lies beside the source.
  const map = sourceMapText?.replace('"sources":["album.ts"]', '"sources":["../src/album.ts"]');
  if (map !== undefined) write("dist/album.js.map", map);
  const mapUrl = /sourceMappingURL=(.*)/.exec(outputText)?.[1] as string;
  return { script, mapUrl, ...find(outputText, CALL) };
}

/** The frame of one allocation in the given script, as a reader shows it. */
function frameOf(url: string, mapUrl: string, line: number, column: number, sourceMaps?: boolean): Frame | undefined {
  const writer = new CaptureWriter();
  const id = writer.function("add", writer.script(url, mapUrl), 1, 1);
  const node = writer.node(0, writer.frame({ function: id, line, column }));
  const reader = readerOf(writer.malloc(node, 8, 16).finish(), sourceMaps === undefined ? {} : { sourceMaps });
  return [...reader.getLeakedAllocationRecords()][0]?.stackTrace()[0];
}

describe("source maps", () => {
  it("show a frame of compiled TypeScript where it was written: map beside the script", () => {
    const { script, mapUrl, line, column } = compile({ sourceMap: true });
    expect(mapUrl).toBe("album.js.map");
    expect(line).not.toBe(ORIGINAL.line);
    const source = join(root, "src/album.ts");
    for (const url of [script, pathToFileURL(script).href]) {
      expect(frameOf(url, mapUrl, line, column)).toEqual({ function: "add", file: source, ...ORIGINAL });
    }
  });

  it("are found inline, as a data URL", () => {
    const { script, mapUrl, line, column } = compile({ inlineSourceMap: true });
    expect(mapUrl).toMatch(/^data:application\/json;base64,/);
    const frame = frameOf(script, mapUrl, line, column);
    expect(frame).toMatchObject({ function: "add", ...ORIGINAL });
    expect(frame?.file.endsWith("album.ts")).toBe(true);
    const { sources, ...map } = JSON.parse(Buffer.from(mapUrl.split(",")[1] as string, "base64").toString());
    const percent = `data:application/json,${encodeURIComponent(JSON.stringify({ ...map, sources: ["/x y/z.ts"] }))}`;
    expect(frameOf(script, percent, line, column)).toMatchObject({ file: "/x y/z.ts", ...ORIGINAL });
    expect(sources).toHaveLength(1);
  });

  it("are read as index maps too", () => {
    const { script, line, column } = compile({ sourceMap: true });
    const map = JSON.parse(ts.sys.readFile(join(root, "dist/album.js.map")) as string);
    write("dist/bundle.js.map", JSON.stringify({ version: 3, sections: [{ offset: { line: 100, column: 0 }, map }] }));
    expect(frameOf(script, "bundle.js.map", line + 100, column)).toMatchObject({
      file: join(root, "src/album.ts"),
      ...ORIGINAL,
    });
  });

  it("map a position whose column is not known by its line", () => {
    const { script, mapUrl, line } = compile({ sourceMap: true });
    expect(frameOf(script, mapUrl, line, 0)).toMatchObject({ line: ORIGINAL.line, column: 0 });
  });

  it("leave code that the compiler added where it ran", () => {
    const script = write("dist/album.js", "x");
    // Column 0 is mapped, from column 5 on nothing is, from column 10 on it is again.
    const map = { version: 3, sources: ["../src/album.ts"], names: [], mappings: "AAAA,K,KAAK" };
    const mapUrl = `data:application/json,${encodeURIComponent(JSON.stringify(map))}`;
    const source = join(root, "src/album.ts");
    expect(frameOf(script, mapUrl, 1, 3)).toMatchObject({ file: source, line: 1, column: 1 });
    expect(frameOf(script, mapUrl, 1, 8)).toMatchObject({ file: script, line: 1, column: 8 });
    expect(frameOf(script, mapUrl, 1, 11)).toMatchObject({ file: source, line: 1, column: 6 });
  });

  it("can be turned off", () => {
    const { script, mapUrl, line, column } = compile({ sourceMap: true });
    expect(frameOf(pathToFileURL(script).href, mapUrl, line, column, false)).toEqual({
      function: "add",
      file: script,
      line,
      column,
    });
  });

  it.each<[string, string]>([
    ["missing", "gone.js.map"],
    ["not JSON", "data:application/json,{"],
    ["not a map", "data:application/json,[1,2]"],
    ["null", "data:application/json,null"],
    [
      "of bad mappings",
      `data:application/json,${encodeURIComponent('{"version":3,"sources":["a"],"names":[],"mappings":"!"}')}`,
    ],
    ["without sources", `data:application/json,${encodeURIComponent('{"version":3,"mappings":"AAAA"}')}`],
    ["somewhere on a network", "https://example.com/album.js.map"],
    ["an impossible URL", "http://["],
    ["a directory", "."],
  ])("leave the frame where it ran when the map is %s", (_, mapUrl) => {
    const script = write("dist/album.js", "x");
    expect(frameOf(script, mapUrl, 3, 7)).toEqual({ function: "add", file: script, line: 3, column: 7 });
  });

  it("leave frames without a file alone", () => {
    expect(frameOf("node:internal/fs", "", 3, 7)).toMatchObject({ file: "node:internal/fs", line: 3 });
    expect(frameOf("<builtin>", "x.map", 0, 0)).toMatchObject({ file: "<builtin>", line: 0 });
    expect(frameOf("file:///%E0%A4%A/x", "", 1, 1)).toMatchObject({ file: "file:///%E0%A4%A/x" });
  });

  it("keep sources that are no files by their URL", () => {
    const map = { version: 3, sources: ["webpack://app/./src/a.ts"], names: [], mappings: "AAAA" };
    const mapUrl = `data:application/json,${encodeURIComponent(JSON.stringify(map))}`;
    expect(frameOf("/dist/a.js", mapUrl, 1, 1)?.file).toMatch(/^webpack:\/\/app\/.*src\/a\.ts$/);
  });
});

describe("file URLs", () => {
  it("become paths and back, as Node has them", () => {
    for (const path of ["/srv/app/a.js", "/a b/100%/ü#1?x\\y.js", "/tab\tline\n.js", "/"]) {
      expect(toUrl(path)).toBe(pathToFileURL(path).href);
      expect(toPath(toUrl(path) as string)).toBe(path);
    }
  });

  it("stay what they are where no path can be made of them", () => {
    for (const url of ["file://server/share/a.js", "file:///a%2Fb.js", "file:///%", "node:fs", "a.js"]) {
      expect(toPath(url)).toBe(url);
    }
    expect(toUrl("node:fs")).toBeUndefined();
    expect(toUrl("<builtin>")).toBeUndefined();
  });
});

describe("source text", () => {
  it("comes from disk", () => {
    const path = write("a.txt", "one\r\ntwo\nthree");
    const text = new SourceText(readTextFile);
    expect([1, 2, 3].map((n) => text.line(path, n))).toEqual(["one", "two", "three"]);
    expect([0, 4, -1].map((n) => text.line(path, n))).toEqual([undefined, undefined, undefined]);
    expect(text.line(join(root, "none.txt"), 1)).toBeUndefined();
    expect(text.line(root, 1)).toBeUndefined();
    expect(text.line("node:fs", 1)).toBeUndefined();
  });

  it("comes from the map that has it, when the source is not there", () => {
    const { script, mapUrl, line, column } = compile({ sourceMap: true, inlineSources: true });
    rmSync(join(root, "src"), { recursive: true });
    const maps = new SourceMaps(readTextFile);
    const text = new SourceText(readTextFile, maps);
    const original = maps.originalPosition(script, mapUrl, line, column);
    expect(original).toEqual({ file: join(root, "src/album.ts"), ...ORIGINAL });
    expect(text.line(original?.file as string, ORIGINAL.line)).toBe("    return Buffer.allocUnsafeSlow(10_000);");
  });

  it("keeps no more than its bound, and reads the dropped again", () => {
    const [a, b, c] = ["a", "b", "c"].map((name) => write(name, name.repeat(100))) as [string, string, string];
    const text = new SourceText(readTextFile, undefined, 250);
    for (const path of [a, b]) text.line(path, 1);
    write("a", "new a");
    write("b", "new b");
    // a is used again, so that b is the one to go when c comes.
    expect(text.line(a, 1)).toBe("a".repeat(100));
    expect(text.line(c, 1)).toBe("c".repeat(100));
    expect(text.line(a, 1)).toBe("a".repeat(100));
    expect(text.line(b, 1)).toBe("new b");
  });
});
