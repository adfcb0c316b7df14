import { describe, expect, it } from "vitest";
import { categoryOf } from "../../src/reporters/flamegraph-category.js";
import { decodeFlameGraph, encodeFlameGraph } from "../../src/reporters/flamegraph-codec.js";
import type { Category, FlameGraphData } from "../../src/reporters/flamegraph-data.js";
import { growthPercent, signed } from "../../ui/src/describe-change.js";
import { STEPS, stepFill, stepOf } from "../../ui/src/graph/change-palette.js";
import { contrast, INKS } from "../../ui/src/graph/palette.js";
import { lineChanges, treeChange } from "../../ui/src/model/compare.js";
import { hiddenCategories } from "../../ui/src/model/hide.js";
import { invert } from "../../ui/src/model/invert.js";
import { buildCallTree, type CallTree, type TreeOptions } from "../../ui/src/model/tree.js";
import { type Plain, plainTree } from "./brute-force.js";
import { frame, record } from "./synthetic.js";
import { comparedCaptures, diffOf } from "./synthetic-diff.js";

const ALL: TreeOptions = { hideInternals: false, hideDependencies: false, thread: -1, kind: -1, metric: "bytes" };
const { before, after } = comparedCaptures(2_000);
const data = diffOf(before, after);

function namesOf(from: FlameGraphData, tree: CallTree, node: number): string {
  const row = tree.frame[node] as number;
  const text = (column: Uint32Array): string => from.strings[column[row] as number] as string;
  const file = text(from.frames.file);
  return file === "" ? text(from.frames.function) : `${text(from.frames.function)} ${file}:${from.frames.line[row]}:0`;
}

const sum = (column: Float64Array = new Float64Array()): number => column.reduce((all, one) => all + one, 0);

describe("the merged tables", () => {
  it("add up to each side's bytes and allocations", () => {
    const of = (records: typeof before, what: "size" | "nAllocations") =>
      records.reduce((all, one) => all + one[what], 0);
    expect(sum(data.weights.bytes)).toBe(of(after, "size"));
    expect(sum(data.weights.allocations)).toBe(of(after, "nAllocations"));
    expect(sum(data.comparison?.bytes)).toBe(of(before, "size"));
    expect(sum(data.comparison?.allocations)).toBe(of(before, "nAllocations"));
  });

  it("come back from the page's bytes as they were, and a graph without them stays without", () => {
    expect(decodeFlameGraph(encodeFlameGraph(data))).toEqual(data);
    const { comparison: _, ...plain } = data;
    expect(decodeFlameGraph(encodeFlameGraph(plain))).toEqual(plain);
  });

  it("are refused when they are cut", () => {
    const bytes = encodeFlameGraph(data);
    for (let cut = 1; cut < 400; cut++) expect(() => decodeFlameGraph(bytes.slice(0, -cut)), `${cut}`).toThrow();
  });

  const at = (file: string, line: number, size: number, name = "load") => [
    record({ path: [frame("main", `${file}/main.ts`, 1), frame(name, `${file}/load.ts`, line, line)], size }),
  ];
  const shown = (from: FlameGraphData) =>
    Array.from(from.weights.node, (node, i) => {
      const row = from.nodes.frame[node] as number;
      const { frames, strings } = from;
      const place = `${strings[frames.function[row] as number]} ${strings[frames.file[row] as number]}:${frames.line[row]}`;
      return [place, from.comparison?.bytes[i], from.weights.bytes[i]];
    });

  it("hold what is below either program's folder as one, named as it is after", () => {
    const from = diffOf(at("/srv/old", 7, 10), at("/srv/new", 7, 30), { cwds: ["/srv/old", "/srv/new"] });
    expect(shown(from)).toEqual([["load /srv/new/load.ts:7", 10, 30]]);
    expect(shown(diffOf(at("/lib", 7, 10), at("/lib", 7, 30)))).toEqual([["load /lib/load.ts:7", 10, 30]]);
  });

  it("tell moved lines apart, unless functions or files are what is told apart", () => {
    const [old, now] = [at("/a", 7, 10), at("/a", 9, 30)];
    expect(shown(diffOf(old, now))).toEqual([
      ["load /a/load.ts:7", 10, 0],
      ["load /a/load.ts:9", 0, 30],
    ]);
    expect(shown(diffOf(old, now, { by: "function" }))).toEqual([["load /a/load.ts:0", 10, 30]]);
    const renamed = at("/a", 9, 30, "fetch");
    expect(shown(diffOf(old, renamed, { by: "function" }))).toHaveLength(2);
    expect(shown(diffOf(old, renamed, { by: "file" }))).toEqual([["load.ts /a/load.ts:0", 10, 30]]);
  });

  it("take the text of a line from the side that has it", () => {
    const source = (side: string) => (file: string, line: number) => `${side} ${file}:${line}`;
    const from = diffOf(at("/srv/old", 7, 10), at("/srv/new", 8, 30), {
      cwds: ["/srv/old", "/srv/new"],
      sources: [source("before"), source("after")],
    });
    expect(from.strings).toContain("after /srv/new/main.ts:1");
    expect(from.strings).toContain("after /srv/new/load.ts:8");
    expect(from.strings).toContain("before /srv/old/load.ts:7");
    expect(from.strings).not.toContain("before /srv/old/main.ts:1");
  });
});

describe("the drawn tree", () => {
  /** Both sides, and what of each stack changed, the plainest way. */
  interface Sides {
    before: Plain | undefined;
    after: Plain | undefined;
  }
  const childrenOf = ({ before, after }: Sides): Map<string, Sides> => {
    const names = new Set([...(before?.children.keys() ?? []), ...(after?.children.keys() ?? [])]);
    return new Map(
      [...names].map((name) => [name, { before: before?.children.get(name), after: after?.children.get(name) }]),
    );
  };
  const changed = (sides: Sides): number =>
    Math.abs((sides.after?.own ?? 0) - (sides.before?.own ?? 0)) +
    [...childrenOf(sides).values()].reduce((all, child) => all + changed(child), 0);

  const OPTIONS: [string, Partial<TreeOptions>, (one: (typeof before)[number]) => boolean][] = [
    ["as it came", {}, () => true],
    ["without internals", { hideInternals: true }, () => true],
    ["of one thread", { thread: data.threads.indexOf("indexer") }, (one) => one.threadName === "indexer"],
  ];
  for (const width of ["before", "after", "change"] as const) {
    it.each(OPTIONS)(`of ${width}, %s, is that of the plain sums`, (_, given, kept) => {
      const options = { ...ALL, ...given, width };
      const hidden: ReadonlySet<Category> = hiddenCategories(options.hideInternals, options.hideDependencies);
      const tree = buildCallTree(data, options);
      const change = treeChange(data, tree, options);
      const root = { before: plainTree(before.filter(kept), hidden), after: plainTree(after.filter(kept), hidden) };
      const stack: [number, Sides][] = [[0, root]];
      let visited = 0;
      for (let next = stack.pop(); next; next = stack.pop()) {
        const [node, sides] = next;
        visited++;
        expect(change.before.totalBytes[node]).toBe(sides.before?.total ?? 0);
        expect(change.after.totalBytes[node]).toBe(sides.after?.total ?? 0);
        expect(change.before.ownBytes[node]).toBe(sides.before?.own ?? 0);
        expect(change.after.ownBytes[node]).toBe(sides.after?.own ?? 0);
        expect(change.after.totalAllocations[node]).toBe(sides.after?.allocations ?? 0);
        const widthOf = (of: Sides) => (width === "change" ? changed(of) : (of[width]?.total ?? 0));
        expect(tree.value[node]).toBe(widthOf(sides));
        const expected = [...childrenOf(sides)].filter(([, child]) => widthOf(child) > 0);
        const names: string[] = [];
        for (let child = tree.firstChild[node] as number; child < (tree.firstChild[node + 1] as number); child++) {
          const name = namesOf(data, tree, child);
          names.push(name);
          stack.push([child, childrenOf(sides).get(name) as Sides]);
        }
        expect(names.sort()).toEqual(expected.map(([name]) => name).sort());
      }
      expect(visited).toBe(tree.size);
      expect(visited).toBeGreaterThan(10);
    });
  }

  it("holds the same when it is inverted", () => {
    const inverted = invert(data);
    const tree = buildCallTree(inverted, { ...ALL, width: "before" });
    const { before: old, after: now } = treeChange(inverted, tree, ALL);
    expect([old.totalBytes[0], now.totalBytes[0]]).toEqual([sum(data.comparison?.bytes), sum(data.weights.bytes)]);
  });
});

it("the lines have both sides, add up, and come with the largest change first", () => {
  const lines = lineChanges(data, ALL, "program", "own");
  const all = (side: "before" | "after") => lines.reduce((total, line) => total + line[side].bytes, 0);
  expect([all("before"), all("after")]).toEqual([sum(data.comparison?.bytes), sum(data.weights.bytes)]);
  const changes = lines.map((line) => Math.abs(line.after.bytes - line.before.bytes));
  expect(changes).toEqual([...changes].sort((a, b) => b - a));
  expect(categoryOf({ function: "f", file: "/a.ts" })).toBe(data.frames.category[lines[0]?.frame as number]);
});

describe("the colours", () => {
  const luminance = (hex: string) => contrast(hex, "#000000");
  it.each(["light", "dark"] as const)("can be read on and told apart in %s", (theme) => {
    const { ink, inkSoft } = INKS[theme];
    for (let step = -STEPS; step <= STEPS; step++) {
      expect(contrast(stepFill(theme, step), ink)).toBeGreaterThan(5.5);
      expect(contrast(stepFill(theme, step), inkSoft)).toBeGreaterThan(4.5);
      const channel = (at: number) => Number.parseInt(stepFill(theme, step).slice(at, at + 2), 16);
      // Blue against red: the pair that remains to those who do not tell red from green.
      if (step !== 0) expect(Math.sign(channel(1) - channel(5))).toBe(Math.sign(step));
    }
    const strength = (step: number) => Math.abs(luminance(stepFill(theme, step)) - luminance(stepFill(theme, 0)));
    for (const sign of [-1, 1]) expect(strength(sign * STEPS)).toBeGreaterThan(strength(sign));
  });

  it("follow the share of the larger side", () => {
    const steps: [number, number, number][] = [
      [0, 0, 0],
      [100, 100, 0],
      [1000, 1001, 0],
      [100, 102, 1],
      [100, 120, 2],
      [100, 200, 3],
      [0, 5, 4],
      [120, 100, -2],
      [5, 0, -4],
    ];
    for (const [old, now, step] of steps) expect(stepOf(old, now), `${old} to ${now}`).toBe(step);
  });
});

it("changes have a sign and a share", () => {
  expect([signed("bytes", 2048), signed("bytes", -2048), signed("allocations", 0)]).toEqual([
    "+2.000KiB",
    "−2.000KiB",
    "±0",
  ]);
  expect([
    growthPercent(0, 5),
    growthPercent(5, 0),
    growthPercent(4, 5),
    growthPercent(5, 4),
    growthPercent(5, 5),
  ]).toEqual(["new", "gone", "+25.0%", "−20.0%", "±0%"]);
});
