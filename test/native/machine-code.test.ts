import { spawnSync } from "node:child_process";
import { realpathSync } from "node:fs";
import path from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { temporaryFolder } from "../support/heapray.js";
import { program } from "../tracking/truth.js";
import { testProgram } from "./test-programs.js";

// What the agent finds out about machine code, held against what others say of it.

function run(command: string, args: readonly string[]): string {
  const ended = spawnSync(command, args, { encoding: "utf8", maxBuffer: 2 ** 29, timeout: 60_000 });
  expect([ended.status, ended.stderr]).toEqual([0, ""]);
  return ended.stdout;
}

/** The path of a library that every C++ program has. */
function libraryPath(name: string): string {
  return run("g++", [`-print-file-name=${name}`]).trim();
}

describe("instructions", () => {
  test.each(["libstdc++.so.6", "libc.so.6"])("of %s begin where objdump says", (name) => {
    const library = libraryPath(name);
    const listing = run("objdump", ["-d", "-w", "--no-show-raw-insn", "-j", ".text", library]);
    const expected = Array.from(listing.matchAll(/^ +([0-9a-f]+):\t/gm), ([, address]) => address as string);
    const [first, last] = [expected[0] as string, expected.at(-1) as string];
    const found = run(testProgram("unwind_driver"), ["instructions", library, first, last]).trim().split("\n");
    expect(found.length).toBeGreaterThan(100_000);
    expect(found).toEqual(expected.slice(0, -1));
  });
});

describe("rules found by code", () => {
  const folder = temporaryFolder();
  afterAll(() => folder.remove());

  test.each(["-O1", "-O2", "-O3", "-Os"])("lead where the unwind tables do (C, %s)", (level) => {
    const library = folder.join(`sample${level}.so`);
    const headers = path.resolve(realpathSync(process.execPath), "../../include/node");
    const flags = ["-shared", "-fPIC", level, "-fomit-frame-pointer", `-I${headers}`];
    run("gcc", [...flags, "-o", library, program("native-frames.c")]);
    const [places = 0, first, any] = run(testProgram("unwind_driver"), ["rules", library]).split(" ").map(Number);
    expect(places).toBeGreaterThan(20);
    expect([first, any]).toEqual([places, places]);
  });

  test("lead where the unwind tables do for nine places of ten in the C library", () => {
    const [places = 0, , any = 0] = run(testProgram("unwind_driver"), ["rules", libraryPath("libc.so.6")])
      .split(" ")
      .map(Number);
    expect(places).toBeGreaterThan(5000);
    // The others are mostly behind calls that do not come back; the tables are used where there are any.
    expect(any / places).toBeGreaterThan(0.8);
  });
});
