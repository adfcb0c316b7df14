import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LiveCapture } from "../../src/analysis/live-capture.js";
import type { Metadata } from "../../src/capture/records.js";
import { AllocatorType } from "../../src/capture/wire.js";
import { flameGraphData } from "../../src/reporters/flamegraph.js";
import { decodeFlameGraph, encodeFlameGraph } from "../../src/reporters/flamegraph-codec.js";
import { Category, type FlameGraphData, MemoryKind } from "../../src/reporters/flamegraph-data.js";
import { liveGraphData } from "../../src/reporters/live-graph.js";
import { frameOrder } from "../../ui/src/model/frame-order.js";
import { invert } from "../../ui/src/model/invert.js";
import { nodeAt, visitVisible } from "../../ui/src/model/layout.js";
import { nodeOnPath, pathOf } from "../../ui/src/model/places.js";
import { buildCallTree, type CallTree, type TreeOptions } from "../../ui/src/model/tree.js";
import { type View, WHOLE } from "../../ui/src/model/view.js";
import { CaptureWriter } from "../support/capture-writer.js";
import { syntheticCapture } from "./synthetic.js";

const ALL: TreeOptions = { hideInternals: false, hideDependencies: false, thread: -1, kind: -1, metric: "bytes" };
const BY_NAME: TreeOptions = { ...ALL, order: "name" };
const { MALLOC, CALLOC, HEAP_PAGES } = AllocatorType;

/** What each path holds with all below it, as `bytes allocations`. */
function totals(data: FlameGraphData, options = ALL): Map<string, string> {
  const tree = buildCallTree(data, options);
  const found = new Map<string, string>();
  for (let node = 0; node < tree.size; node++) {
    const path = pathOf(data, tree.origin[node] as number).join("\n");
    found.set(path, `${tree.totalBytes[node]} ${tree.totalAllocations[node]}`);
  }
  return found;
}

const steps = fc.array(
  fc.record({
    stack: fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 6 }),
    thread: fc.integer({ min: 1, max: 2 }),
    allocator: fc.constantFrom(MALLOC, CALLOC, HEAP_PAGES),
    size: fc.integer({ min: 1, max: 5000 }),
    frees: fc.boolean(),
  }),
  { maxLength: 60 },
);

type Steps = typeof steps extends fc.Arbitrary<infer T> ? T : never;

function captureOf(all: Steps): LiveCapture {
  const writer = new CaptureWriter().thread(1, 7, "main").thread(2, 8, "worker");
  const frames = [0, 1, 2, 3].map((name) => {
    const script = writer.script(`/srv/${name % 2}.js`);
    return writer.frame({ function: writer.function(`f${name}`, script), line: name + 1 });
  });
  const nodes = new Map<string, number>([["", 0]]);
  // As programs do, each stack has a node.
  const nodeOf = (stack: readonly number[]): number => {
    let node = nodes.get(stack.join());
    if (node === undefined) {
      node = writer.node(nodeOf(stack.slice(0, -1)), frames[stack.at(-1) as number] as number);
      nodes.set(stack.join(), node);
    }
    return node;
  };
  for (const [i, { stack, thread, allocator, size, frees }] of all.entries()) {
    const node = nodeOf(stack);
    writer.switchTo(thread).allocation(allocator, node, size, 0x1000_0000 + i * 0x1_0000);
    if (frees && allocator !== HEAP_PAGES) writer.free(0x1000_0000 + i * 0x1_0000);
  }
  const live = new LiveCapture("live");
  live.push(writer.finish());
  return live;
}

function graphOf(
  live: LiveCapture,
  query: { thread?: string; kind?: MemoryKind; mostStacks?: number },
): FlameGraphData {
  const { contents, snapshots } = live;
  if (!contents) throw new Error("no header");
  return liveGraphData({ ...contents, ...query, snapshots, metadata: live.metadata as Metadata });
}

describe("a live graph", () => {
  test("of few stacks is what a flame graph of the same allocations is", () => {
    fc.assert(
      fc.property(steps, (all) => {
        const live = captureOf(all);
        const records = live.records({ mergeThreads: false });
        const metadata = live.metadata as Metadata;
        const whole = flameGraphData({ records, snapshots: [], metadata, kind: "live" });
        const graph = graphOf(live, {});
        expect(totals(graph)).toEqual(totals(whole));
        expect(graph.threads).toEqual(["main", "worker"]);
        expect(totals(decodeFlameGraph(encodeFlameGraph(graph)))).toEqual(totals(whole));
        // Of one thread, and of one kind, it is what the page would choose.
        const worker = whole.threads.indexOf("worker");
        if (worker !== -1) {
          expect(totals(graphOf(live, { thread: "worker" }))).toEqual(totals(whole, { ...ALL, thread: worker }));
        }
        const pages = { ...ALL, kind: MemoryKind.HEAP_PAGES };
        expect(totals(graphOf(live, { kind: MemoryKind.HEAP_PAGES }))).toEqual(totals(whole, pages));
      }),
      { numRuns: 200 },
    );
  });

  test("of many stacks has the largest, each with all that it holds, and the rest of each as one frame", () => {
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 40 }), (all, mostStacks) => {
        const live = captureOf(all);
        const whole = totals(graphOf(live, {}));
        const graph = graphOf(live, { mostStacks });
        const shown = totals(graph);
        const small = new Set<string>();
        for (const [path, held] of shown) {
          const last = path.slice(path.lastIndexOf("\n") + 1);
          if (last === "small stacks") small.add(path);
          else expect([path, held]).toEqual([path, whole.get(path)]);
        }
        const { category } = graph.frames;
        const told = graph.nodes.frame.filter((frame) => (category[frame] as number) < Category.THREAD).length;
        // Those that have all of the bytes, or all of the allocations, are told in any case.
        expect(told).toBeLessThanOrEqual(Math.max(mostStacks, 12));
        expect(small.size > 0).toBe(graph.frames.category.includes(Category.SMALL));
        expect(shown.get("")).toBe(whole.get(""));
      }),
      { numRuns: 200 },
    );
  });
});

const synthetic = syntheticCapture(2_000);
const data = flameGraphData({ ...synthetic, kind: "live" });

describe("places", () => {
  test("are found again in data of other numbers, inverted or not", () => {
    const other = flameGraphData({ ...synthetic, records: [...synthetic.records].reverse(), kind: "live" });
    for (const [from, to] of [
      [data, other],
      [invert(data), invert(other)],
    ] as const) {
      let moved = 0;
      for (let node = 0; node < from.nodes.parent.length; node += 7) {
        const path = pathOf(from, node);
        const found = nodeOnPath(to, path);
        expect([found.whole, pathOf(to, found.node)]).toEqual([true, path]);
        if (found.node !== node) moved++;
      }
      expect(moved).toBeGreaterThan(10);
    }
  });

  test("of what is gone are those of the nearest that is there", () => {
    const path = pathOf(data, data.nodes.parent.length - 1);
    expect(nodeOnPath(data, [...path, "elsewhere"])).toEqual({ node: data.nodes.parent.length - 1, whole: false });
    expect(nodeOnPath(data, ["elsewhere", ...path])).toEqual({ node: 0, whole: false });
  });
});

describe("frames in the order of names", () => {
  const tree = buildCallTree(data, BY_NAME);

  test("are those in the order of sizes, with the same sums, beside each other by name", () => {
    expect(totals(data, BY_NAME)).toEqual(totals(data));
    const place = frameOrder(data);
    for (let node = 2; node < tree.size; node++) {
      if (tree.parent[node] !== tree.parent[node - 1]) continue;
      expect(place[tree.frame[node] as number]).toBeGreaterThan(place[tree.frame[node - 1] as number] as number);
    }
  });

  test("stay beside each other whatever they hold", () => {
    const other = {
      ...data,
      weights: { ...data.weights, bytes: data.weights.bytes.map((bytes, i) => bytes * (i % 9)) },
    };
    const order = (of: CallTree): string[] => Array.from(of.origin, (origin) => pathOf(data, origin).join("\n"));
    const before = order(tree);
    const after = new Set(order(buildCallTree(other, BY_NAME)));
    expect(after.size).toBeLessThan(before.length);
    expect(order(buildCallTree(other, BY_NAME))).toEqual(before.filter((path) => after.has(path)));
  });

  test.each<View>([WHOLE, { start: 0.1, end: 0.15 }, { start: 0.6, end: 0.9 }])(
    "cover the screen as they cover the graph, from $start to $end",
    (view) => {
      const width = 700;
      const scale = width / ((tree.value[0] as number) * (view.end - view.start));
      const x = (value: number): number => (value - view.start * (tree.value[0] as number)) * scale;
      /** Nodes by how they were drawn. */
      const drawn = new Map<number, "frame" | "rest">();
      visitVisible(tree, view, width, 0.7, {
        frame: (node, depth, left, right) => {
          expect([depth, left]).toEqual([tree.depth[node], expect.closeTo(x(tree.start[node] as number), 6)]);
          expect(right - left === 0 || node === 0 || right - left >= 0.7).toBe(true);
          drawn.set(node, "frame");
        },
        rest: (_depth, left, right, first, end) => {
          expect(left).toBeCloseTo(x(tree.start[first] as number), 6);
          expect(right).toBeCloseTo(x((tree.start[end - 1] as number) + (tree.value[end - 1] as number)), 6);
          for (let node = first; node < end; node++) {
            expect((tree.value[node] as number) * scale).toBeLessThan(0.7);
            drawn.set(node, "rest");
          }
        },
      });
      for (let node = 1; node < tree.size; node++) {
        const [left, right] = [
          x(tree.start[node] as number),
          x((tree.start[node] as number) + (tree.value[node] as number)),
        ];
        const parentShows = drawn.get(tree.parent[node] as number) === "frame";
        if (!parentShows || right <= 0 || left >= width) continue;
        expect([node, drawn.get(node)]).toEqual([node, right - left < 0.7 ? "rest" : "frame"]);
      }
      expect([...drawn.values()].filter((how) => how === "rest").length).toBeGreaterThan(0);
    },
  );

  test("are found under the pointer", () => {
    for (let node = 0; node < tree.size; node += 11) {
      const middle = ((tree.start[node] as number) + (tree.value[node] as number) / 2) / (tree.value[0] as number);
      expect(nodeAt(tree, tree.depth[node] as number, middle)).toBe(node);
    }
  });
});
