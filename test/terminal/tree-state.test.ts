import { describe, expect, test } from "vitest";
import type { AllocationRecord } from "../../src/capture/records.js";
import { AllocatorType } from "../../src/capture/wire.js";
import { allocationTree } from "../../src/reporters/allocation-tree.js";
import { TreeState } from "../../src/terminal/tree-state.js";

/** @param stack functions of app.ts, outermost first; those with a slash are files of Node.js */
function record(size: number, ...stack: string[]): AllocationRecord {
  const frames = stack.map((name) => {
    const file = name.includes("/") ? `node:internal/${name}` : "/srv/app.ts";
    return { function: name, file, line: 1, column: 1 };
  });
  const allocator = AllocatorType.MALLOC;
  const about = { tid: 7, threadName: "MainThread", address: 0, allocator, stackId: 1, nAllocations: 1 };
  return { ...about, size, stackTrace: () => [...frames].reverse() };
}

const stateOf = (records: readonly AllocationRecord[], biggest = 200) =>
  new TreeState(allocationTree(records, biggest));

/** The rows, indented, the selected one marked. */
function shown(state: TreeState): string[] {
  return state.rows.map((row, i) => {
    const name = row.node?.function ?? "(elided)";
    return `${i === state.cursor ? ">" : " "}${"  ".repeat(row.level)}${name}`;
  });
}

function press(state: TreeState, ...keys: string[]): string[] {
  for (const key of keys) state.press(key);
  return shown(state);
}

const RECORDS = [
  record(60, "a", "b", "c"),
  record(30, "a", "d"),
  record(20, "x", "modules/run_main", "y", "z"),
  record(5, "modules/run_main", "w"),
];

describe("keys", () => {
  test("at first the root is selected, and the largest way through the tree expanded", () => {
    const below = ["   a", "     b", "       c", "     d", "   x", "   w"];
    expect(shown(stateOf(RECORDS))).toEqual(["><ROOT>", ...below]);
  });

  test("up and down stop at the ends", () => {
    const state = stateOf(RECORDS);
    press(state, "UP");
    expect(state.cursor).toBe(0);
    press(state, "END", "DOWN");
    expect(state.cursor).toBe(6);
    state.setPageRows(4);
    press(state, "PAGE_UP");
    expect(state.cursor).toBe(2);
    press(state, "HOME");
    expect(state.cursor).toBe(0);
  });

  test("left collapses, then goes to the caller; right expands, then goes to the first below", () => {
    const state = stateOf(RECORDS);
    expect(press(state, "DOWN", "DOWN", "LEFT")).toEqual([" <ROOT>", "   a", ">    b", "     d", "   x", "   w"]);
    expect(press(state, "LEFT")).toEqual([" <ROOT>", ">  a", "     b", "     d", "   x", "   w"]);
    expect(press(state, "RIGHT", "RIGHT", "RIGHT")).toEqual([
      " <ROOT>",
      "   a",
      "     b",
      ">      c",
      "     d",
      "   x",
      "   w",
    ]);
    // Nothing is below it.
    expect(press(state, "RIGHT", "ENTER", " ", "e")).toHaveLength(7);
  });

  test.each(["ENTER", "KP_ENTER", " "])("%j expands and collapses", (key) => {
    const state = stateOf(RECORDS);
    expect(press(state, "DOWN", key)).toEqual([" <ROOT>", ">  a", "   x", "   w"]);
    // What was expanded below is so again.
    expect(press(state, key)).toHaveLength(7);
  });

  test("e expands down to where there is more than one way, and collapses that again", () => {
    const state = stateOf([record(90, "big"), record(40, "a", "b", "c", "d"), record(30, "a", "b", "c", "e")]);
    expect(press(state, "END")).toEqual([" <ROOT>", "   big", ">  a"]);
    expect(press(state, "e")).toEqual([" <ROOT>", "   big", ">  a", "     b", "       c", "         d", "         e"]);
    expect(press(state, "e", "RIGHT")).toEqual([" <ROOT>", "   big", ">  a", "     b"]);
  });

  test("u shows what only calls others, i hides what loads modules and what that called", () => {
    const state = stateOf(RECORDS);
    expect(press(state, "u")).toContain("   modules/run_main");
    // The loader that starts the program stays.
    expect(press(state, "i")).toContain("   modules/run_main");
    expect(press(state, "END", "UP", "e")).toEqual([
      " <ROOT>",
      "   a",
      "     b",
      "       c",
      "     d",
      ">  x",
      "   modules/run_main",
    ]);
    expect(state.filter).toEqual({ hidesUninteresting: false, hidesImportSystem: true });
    expect(press(state, "i", "END", "UP", "e")).toContain("       y");
    expect(state.cursor).toBe(5);
  });

  test("q quits, Ctrl-C interrupts, ? helps, and others do nothing", () => {
    const state = stateOf(RECORDS);
    expect(["q", "CTRL_C", "?"].map((key) => state.press(key))).toEqual(["quit", "interrupt", "changed"]);
    expect(state.helps).toBe(true);
    expect(state.press("DOWN")).toBe("changed");
    expect({ helps: state.helps, cursor: state.cursor }).toEqual({ helps: false, cursor: 0 });
    for (const key of ["x", "F5", "constructor", "__proto__", "toString"]) expect(state.press(key)).toBe("none");
  });
});

test("what is below the threshold is the last row below the root", () => {
  const state = stateOf(RECORDS, 1);
  expect(press(state, "END")).toEqual([" <ROOT>", "   a", "     b", "       c", ">  (elided)"]);
  expect(press(state, "RIGHT", "ENTER", "e", "LEFT")[0]).toBe("><ROOT>");
});

test("without allocations there is the root alone", () => {
  const state = stateOf([]);
  expect(press(state, "RIGHT", "e", "ENTER", "i", "u", "END", "LEFT")).toEqual(["><ROOT>"]);
});

test("hundreds of thousands of frames: a key takes no longer than the rows that are shown", () => {
  const records: AllocationRecord[] = [];
  for (let i = 0; i < 3000; i++) {
    records.push(record(3000 - i, ...Array.from({ length: 100 }, (_, level) => `f${level === 0 ? 0 : i}`)));
  }
  const state = stateOf(records, 5000);
  expect(state.rows.length).toBe(3100);
  const start = performance.now();
  for (let i = 0; i < 20; i++) press(state, "DOWN", "LEFT", "RIGHT", "PAGE_DOWN", "UP");
  expect((performance.now() - start) / 20).toBeLessThan(100);
});
