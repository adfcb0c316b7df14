import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { afterEach, beforeEach, expect, test } from "vitest";
import { writeWholeFile } from "../../src/cli/whole-file.js";
import { type Folder, temporaryFolder } from "../support/heapray.js";

let folder: Folder;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.remove());

test("pieces end up in the file, in their order", () => {
  const pieces = Array.from({ length: 1000 }, (_, i) => `${i} é\n`);
  writeWholeFile(folder.join("a.txt"), (write) => pieces.forEach(write));
  expect(readFileSync(folder.join("a.txt"), "utf8")).toBe(pieces.join(""));
  expect(readdirSync(folder.path)).toEqual(["a.txt"]);
});

test("the file is not there before it is complete", () => {
  writeWholeFile(folder.join("a.txt"), (write) => {
    write("half");
    expect(readdirSync(folder.path)).not.toContain("a.txt");
  });
});

test("when producing it fails, the old file stays and nothing else is left", () => {
  folder.write("a.txt", "old");
  const failing = () =>
    writeWholeFile(folder.join("a.txt"), (write) => {
      write("half");
      throw new Error("the capture is damaged");
    });
  expect(failing).toThrow("the capture is damaged");
  expect(readdirSync(folder.path)).toEqual(["a.txt"]);
  expect(readFileSync(folder.join("a.txt"), "utf8")).toBe("old");
});

test("a folder that cannot be written to is named", () => {
  expect(() => writeWholeFile(folder.join("no/a.txt"), () => {})).toThrow(/^cannot write .*\/no\/a\.txt: ENOENT/);
});

test("an older file is replaced", () => {
  folder.write("a.txt", "old, and longer");
  writeWholeFile(folder.join("a.txt"), (write) => write("new"));
  expect(readFileSync(folder.join("a.txt"), "utf8")).toBe("new");
  expect(readdirSync(folder.path)).toEqual(["a.txt"]);
});

test("when it cannot be put in place, nothing is left", () => {
  mkdirSync(folder.join("taken"));
  expect(() => writeWholeFile(folder.join("taken"), (write) => write("new"))).toThrow(
    /^cannot write .*\/taken: EISDIR/,
  );
  expect(readdirSync(folder.path)).toEqual(["taken"]);
});
