import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import { temporaryFolder } from "../support/heapray.js";
import { testProgram } from "./test-programs.js";

// What walks remember of native frames, held against walks that remember nothing.

function numbers(...args: string[]): number[] {
  const printed = execFileSync(testProgram("chains_driver"), args, { encoding: "utf8", timeout: 60_000 });
  return printed.trim().split(" ").map(Number);
}

describe("chains of native frames", () => {
  const folder = temporaryFolder();
  afterAll(() => folder.remove());

  test("are those that are on the stack, whichever came before", () => {
    const [frames = 0, stacks = 0, forgotten] = numbers("calls", "1000");
    expect(stacks).toBeGreaterThan(500);
    expect(frames).toBeGreaterThan(10 * stacks);
    expect(forgotten).toBe(0);
  });

  test("are remembered for as long as the words that led to them are what they were", () => {
    const [, , , remembered] = numbers("calls", "12000");
    expect(remembered).toBeGreaterThan(300);
  });

  test("begin anew where there are too many", () => {
    const [, stacks, forgotten] = numbers("calls", "12000");
    expect(stacks).toBeGreaterThan(100);
    expect(forgotten).toBeGreaterThan(2);
    expect(forgotten).toBeLessThan(20);
  });

  test("do not outlive a library, when another takes its place", () => {
    // The same code, but for the size of its frame.
    const libraries = [24, 56, 40].map((bytes) => {
      const source = folder.join(`${bytes}.c`);
      const library = folder.join(`${bytes}.so`);
      const body = `volatile char room[${bytes}]; room[0] = 1; call(); room[1] = 2;`;
      writeFileSync(source, `void through(void (*call)(void)) { ${body} }\n`);
      execFileSync("gcc", ["-shared", "-fPIC", "-O1", "-fomit-frame-pointer", "-o", library, source]);
      return library;
    });
    expect(numbers("reload", ...libraries, ...libraries)).toEqual([2 * libraries.length - 1]);
  });
});
