import { expect, test } from "vitest";
import { type GrowthBy, growthOf } from "../../src/analysis/growth.js";
import { diffJson, diffText } from "../../src/reporters/diff.js";
import { PLAIN } from "../../src/reporters/paint.js";
import { CaptureWriter, HEADER } from "../support/capture-writer.js";
import { readerOf } from "../support/memory-reader.js";

type Stacks = Record<string, number>;

/** A capture of a program in `cwd`, with an allocation of so many bytes on each stack. */
function capture(stacks: Stacks, cwd: string) {
  const writer = new CaptureWriter({ ...HEADER, cwd });
  let address = 0;
  for (const [place, bytes] of Object.entries(stacks)) {
    address += 4096;
    const stack = place === "" ? 0 : writer.stack(`main@${cwd}/app.ts:1`, place.replace("@", `@${cwd}/`));
    writer.malloc(stack, bytes, address);
  }
  return readerOf(writer.finish());
}

function growth(before: Stacks, after: Stacks, by?: GrowthBy, cwds = ["/srv/app", "/srv/app"]) {
  const sides = [before, after].map((stacks, i) => {
    const reader = capture(stacks, cwds[i] as string);
    return { records: reader.getLeakedAllocationRecords({ mergeThreads: false }), cwd: reader.metadata.cwd };
  });
  return growthOf(sides[0] as never, sides[1] as never, by);
}

const WHAT = { before: "old.bin at its peak", after: "new.bin at its peak" };

test("the text tells what grew and what shrank, the most first, and in all", () => {
  const found = growth(
    { "load@load.ts:7": 1000, "drop@drop.ts:3": 500, "same@same.ts:1": 40, "": 10 },
    { "load@load.ts:7": 4000, "add@add.ts:9": 200, "same@same.ts:1": 40, "": 12 },
  );
  expect(diffText(found, { ...WHAT, by: "line", top: 2, paint: PLAIN })).toBe(
    [
      "  before  1.550kB  4 allocations  old.bin at its peak",
      "   after  4.252kB  4 allocations  new.bin at its peak",
      "",
      "  +2.702kB (+174.3%), 0 allocations",
      "",
      "Grew by 3.202kB in 3 lines, the first 2:",
      "",
      "     change   before     after  allocations  line",
      "   +3.000kB  1.000kB   4.000kB            0  load.ts:7  load",
      "  +200.000B   0.000B  200.000B           +1  add.ts:9  add",
      "",
      "Shrank by 500.000B in 1 line:",
      "",
      "     change    before   after  allocations  line",
      "  -500.000B  500.000B  0.000B           -1  drop.ts:3  drop",
      "",
    ].join("\n"),
  );
});

test("grown and shrunk have colours of their own", () => {
  const paint = { ...PLAIN, grown: (text: string) => `<${text}>`, shrunk: (text: string) => `[${text}]` };
  const text = diffText(growth({ "a@a.ts:1": 9 }, { "b@b.ts:1": 5 }), { ...WHAT, by: "line", top: 9, paint });
  expect(text).toContain("[  -4.000B (-44.4%), 0 allocations]\n");
  expect(text).toMatch(/<.*b\.ts:1 {2}b>\n/);
  expect(text).toMatch(/\[.*a\.ts:1 {2}a\]\n/);
});

test("names from captures cannot write elsewhere on a terminal", () => {
  const found = growth({}, { "lo\u001b[2Jad@a.ts:1": 9 });
  expect(diffText(found, { ...WHAT, by: "line", top: 9, paint: PLAIN })).toContain("a.ts:1  load\n");
});

test("JSON has every place that changed, and bytes", () => {
  const found = growth(
    { "load@load.ts:7": 1000, "same@same.ts:1": 40 },
    { "load@load.ts:7": 4000, "same@same.ts:1": 40 },
  );
  expect(JSON.parse(diffJson(found, { ...WHAT, by: "line" }))).toEqual({
    before: { what: "old.bin at its peak", bytes: 1040, allocations: 2 },
    after: { what: "new.bin at its peak", bytes: 4040, allocations: 2 },
    grown_bytes: 3000,
    by: "line",
    places: [
      {
        function: "load",
        file: "load.ts",
        line: 7,
        before: { bytes: 1000, allocations: 1 },
        after: { bytes: 4000, allocations: 1 },
        grown_bytes: 3000,
      },
    ],
  });
});

test("functions are the same where their lines moved, and files where their functions did", () => {
  const before = { "load@a.ts:7": 100, "other@a.ts:9": 10 };
  const after = { "load@a.ts:8": 130, "third@a.ts:9": 10 };
  expect(growth(before, after, "line").places).toHaveLength(4);
  const functions = growth(before, after, "function").places;
  expect(functions.map((place) => [place.function, place.line])).toEqual([
    ["load", 0],
    ["other", 0],
    ["third", 0],
  ]);
  const [file, ...rest] = growth(before, after, "file").places;
  expect(file).toEqual({
    function: "",
    file: "a.ts",
    line: 0,
    before: { bytes: 110, allocations: 2 },
    after: { bytes: 140, allocations: 2 },
  });
  expect(rest).toEqual([]);
});

test("files below the working directory are the same in another checkout", () => {
  expect(growth({ "load@a.ts:7": 100 }, { "load@a.ts:7": 100 }, "line", ["/srv/old", "/home/new"]).places).toEqual([]);
});
