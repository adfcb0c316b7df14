import { expect, test } from "vitest";
import { SourceCode } from "../../src/terminal/source-code.js";

/** A file of these lines. */
function source(...lines: string[]): SourceCode {
  return new SourceCode((_, line) => lines[line - 1]);
}

const textOf = (code: SourceCode, file: string, line: number) =>
  code
    .line(file, line)
    ?.map(({ text }) => text)
    .join("");

test("TypeScript, C++, Rust and Python are coloured by what words are", () => {
  const colorOf = (file: string, line: string, word: string) =>
    source(line)
      .line(file, 1)
      ?.find(({ text }) => text.trim() === word)?.style?.color;
  const keyword = colorOf("a.ts", "const text = 'x'; // why", "const");
  expect(keyword).toBeDefined();
  expect(colorOf("a.cc", "return nullptr;", "return")).toBe(keyword);
  expect(colorOf("a.rs", "pub fn main() {}", "fn")).toBe(keyword);
  expect(colorOf("a.py", "def load():", "def")).toBe(keyword);
  expect(colorOf("a.mjs", "export function load() {}", "function")).toBe(keyword);
});

test("a line in the middle of a comment is one, although the comment began far above", () => {
  const lines = ["/*", ...Array.from({ length: 300 }, (_, i) => `const line${i} = 1;`), "*/", "const end = 1;"];
  const code = source(...lines);
  const styles = (line: number) => code.line("a.ts", line)?.map(({ style }) => style?.color);
  expect(new Set(styles(280)).size).toBe(1);
  expect(new Set(styles(303)).size).toBeGreaterThan(1);
});

test.each([
  "const a = `b ${c`; /re[/]gex/g",
  "<div className={x}>text",
  "'unfinished",
  "\ud800 lone",
  "#!/usr/bin/env node",
  "}}}}))))",
  "",
])("whatever is in a line, it is shown: %j", (line) => {
  for (const file of ["a.ts", "a.jsx", "a.c", "a.hpp", "a.rs", "a.py", "a.unknown"]) {
    expect(textOf(source("before", line, "after"), file, 2)).toBe(line);
    expect(textOf(source("before", line, "after"), file, 3)).toBe("after");
  }
});

test("control characters are left out, tabs are spaces, and long lines are cut", () => {
  expect(textOf(source("\tconst a\u001b[2J = 1;\u0007"), "a.ts", 1)).toBe("  const a = 1;");
  expect(textOf(source(`${"x;".repeat(500_000)}`), "a.js", 1)?.length).toBe(400);
});

test("lines that are not there are not known", () => {
  const code = source("one");
  expect([0, -1, 2, 1e9].map((line) => code.line("a.ts", line))).toEqual([undefined, undefined, undefined, undefined]);
  expect(code.line("", 1)).toBeUndefined();
});
