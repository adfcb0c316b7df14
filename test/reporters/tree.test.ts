import { describe, expect, test } from "vitest";
import { allocationTree } from "../../src/reporters/allocation-tree.js";
import { treeJson } from "../../src/reporters/tree-json.js";
import { treeText } from "../../src/reporters/tree-text.js";
import { CaptureWriter } from "../support/capture-writer.js";
import { readerOf } from "../support/memory-reader.js";

/** A tree of allocations of so many bytes, each with its stack: `function@file:line`, outermost first. */
function treeOf(allocations: readonly (readonly [number, ...string[]])[], biggest = 200) {
  const writer = new CaptureWriter();
  for (const [i, [bytes, ...stack]] of allocations.entries()) {
    writer.malloc(stack.length === 0 ? 0 : writer.stack(...stack), bytes, 4096 * (i + 1));
  }
  const records = readerOf(writer.finish()).getHighWatermarkAllocationRecords({ mergeThreads: false });
  return allocationTree(records, biggest);
}

const START = "executeUserEntryPoint@node:internal/modules/run_main:159";
const LOADER = "wrapModuleLoad@node:internal/modules/cjs/loader:261";
const MAIN = "main@/srv/app/main.ts:1";

const text = (tree: ReturnType<typeof treeOf>) => [...treeText(tree, "/srv/app")].join("");

const PROGRAM: readonly (readonly [number, ...string[]])[] = [
  [5_000_000, START, MAIN, "load@/srv/app/load.ts:7", "alloc@node:buffer:446"],
  [1_500_000, START, MAIN, "load@/srv/app/load.ts:9"],
  [2_000_000, START, MAIN, LOADER, "<module>@/srv/app/late.ts:2"],
  [1_000_000, "processTicksAndRejections@node:internal/process/task_queues:85", "tick@/srv/other/tick.ts:3"],
  [400_000],
  [100_000, START, "compile@node:internal/modules/cjs/loader:1651"],
];

describe("as text", () => {
  test("golden: callers first, the largest first, what only calls others left out", () => {
    expect(text(treeOf(PROGRAM))).toBe(
      [
        "10.000MB (100.00 %) <ROOT>",
        "├─ 8.500MB (85.00 %) main  main.ts:1",
        "│  ├─ 5.000MB (50.00 %) load  load.ts:7",
        "│  │  5.000MB (50.00 %) alloc  node:buffer:446",
        "│  ├─ 2.000MB (20.00 %) <module>  late.ts:2",
        "│  └─ 1.500MB (15.00 %) load  load.ts:9",
        "├─ 1.000MB (10.00 %) tick  /srv/other/tick.ts:3",
        "└─ 400.000kB (4.00 %) thread 0, no JavaScript",
        "",
      ].join("\n"),
    );
  });

  test("golden: what is below the threshold has a line of its own", () => {
    expect(text(treeOf(PROGRAM, 2))).toBe(
      [
        "10.000MB (100.00 %) <ROOT>",
        "├─ 7.000MB (70.00 %) main  main.ts:1",
        "│  ├─ 5.000MB (50.00 %) load  load.ts:7",
        "│  │  5.000MB (50.00 %) alloc  node:buffer:446",
        "│  └─ 2.000MB (20.00 %) <module>  late.ts:2",
        "└─ 3.000MB (30.00 %) 4 allocations from 4 locations below the configured threshold",
        "",
      ].join("\n"),
    );
  });

  test("nothing was allocated", () => {
    expect(text(treeOf([]))).toBe("<No allocations>\n");
  });

  test("names from captures cannot write elsewhere on a terminal", () => {
    const written = text(treeOf([[7, "a\u001b[2Jb@/srv/app/x\u001b]0;title\u0007.ts:1"]]));
    expect(written).not.toMatch(/(?!\n)\p{Cc}/u);
    expect(written).toContain("ab  ");
  });

  test("is of bounded width, however deep the branches are", () => {
    const stacks = Array.from({ length: 200 }, (_, depth) => {
      const frames = Array.from({ length: depth }, () => "again@/srv/app/a.ts:1");
      return [10, MAIN, ...frames, "leaf@/srv/app/b.ts:2"] as const;
    });
    const lines = text(treeOf(stacks, 5000)).split("\n");
    expect(lines).toHaveLength(402);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(400);
  });
});

test("JSON has every frame, callers first, and says what it is", () => {
  const tree = treeOf(PROGRAM, 5);
  const json = JSON.parse([...treeJson(tree, "high-water-mark")].join(""));
  expect(json).toMatchObject({
    kind: "high-water-mark",
    bytes: 10_000_000,
    n_allocations: 6,
    biggest_allocs: 5,
    elided: { n_locations: 1, bytes: 100_000, n_allocations: 1 },
  });
  const { nodes } = json;
  expect(nodes[0]).toMatchObject({ id: 0, parent: null, function: "<ROOT>", bytes: 10_000_000 });
  for (const node of nodes.slice(1)) expect(node.parent).toBeLessThan(node.id);
  const named = (name: string) => nodes.find((node: { function: string }) => node.function === name);
  expect(named("load")).toMatchObject({
    parent: named("main").id,
    file: "/srv/app/load.ts",
    line: 7,
    bytes: 5_000_000,
    n_allocations: 1,
    thread: "0",
    interesting: true,
    import_system: false,
  });
  // What starts the program is no import; what the program loads is.
  expect(named("executeUserEntryPoint")).toMatchObject({ interesting: false, import_system: false });
  expect(named("wrapModuleLoad")).toMatchObject({ interesting: false, import_system: true });
  expect(named("<module>")).toMatchObject({ interesting: true, import_system: false });
});

test("JSON of stacks deeper than a call stack", () => {
  const deep = Array.from({ length: 16_000 }, (_, i) => `f@/srv/app/a.ts:${i + 1}`);
  const json = JSON.parse([...treeJson(treeOf([[1, ...deep]]), "leaks")].join(""));
  expect(json.nodes).toHaveLength(16_001);
});
