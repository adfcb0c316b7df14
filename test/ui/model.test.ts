import { describe, expect, it } from "vitest";
import { flameGraphData } from "../../src/reporters/flamegraph.js";
import { categoryOf } from "../../src/reporters/flamegraph-category.js";
import { Category, type FlameGraphData, MemoryKind } from "../../src/reporters/flamegraph-data.js";
import { contrast, fillOf, HUES, INKS, SHADES } from "../../ui/src/graph/palette.js";
import { TextFitter } from "../../ui/src/graph/text.js";
import { compositionOf } from "../../ui/src/model/details.js";
import { formatBytes, formatBytesShort, formatDuration, formatPercent } from "../../ui/src/model/format.js";
import { hiddenCategories } from "../../ui/src/model/hide.js";
import { invert } from "../../ui/src/model/invert.js";
import { nodeAt, visibleDepth, visitVisible } from "../../ui/src/model/layout.js";
import { holdingLines, type LineScope, nodeOfLine, totalLines } from "../../ui/src/model/lines.js";
import { baseName, displayPath, visible } from "../../ui/src/model/names.js";
import { move, pathTo } from "../../ui/src/model/navigate.js";
import { findMatches, matchFrames, parseQuery } from "../../ui/src/model/search.js";
import { buildCallTree, type CallTree, type TreeOptions } from "../../ui/src/model/tree.js";
import { interpolate, pan, reveal, WHOLE, zoomAbout } from "../../ui/src/model/view.js";
import { type Plain, plainSearch, plainTree } from "./brute-force.js";
import { type Capture, frame, metadata, record, syntheticCapture } from "./synthetic.js";

const ALL: TreeOptions = { hideInternals: false, hideDependencies: false, thread: -1, kind: -1, metric: "bytes" };
const capture = syntheticCapture(3_000);
const data = dataOf(capture);

function dataOf(from: Pick<Capture, "records"> & Partial<Capture>): FlameGraphData {
  return flameGraphData({ snapshots: [], metadata: metadata(), kind: "high-water-mark", ...from });
}

function nodeName(tree: CallTree, from: FlameGraphData, node: number): string {
  const row = tree.frame[node] as number;
  const name = from.strings[from.frames.function[row] as number] as string;
  if (from.frames.category[row] === Category.THREAD) return name;
  return `${name} ${from.strings[from.frames.file[row] as number]}:${from.frames.line[row]}:${from.frames.column[row]}`;
}

/** Compares every node with the plain tree's. */
function expectSame(tree: CallTree, from: FlameGraphData, plain: Plain): void {
  const stack: [number, Plain][] = [[0, plain]];
  let visited = 0;
  for (let next = stack.pop(); next; next = stack.pop()) {
    const [node, expected] = next;
    visited++;
    expect(tree.totalBytes[node]).toBe(expected.total);
    expect(tree.ownBytes[node]).toBe(expected.own);
    expect(tree.totalAllocations[node]).toBe(expected.allocations);
    const names: string[] = [];
    for (let child = tree.firstChild[node] as number; child < (tree.firstChild[node + 1] as number); child++) {
      const name = nodeName(tree, from, child);
      names.push(name);
      stack.push([child, expected.children.get(name) as Plain]);
    }
    expect(names.sort()).toEqual([...expected.children.keys()].sort());
  }
  expect(visited).toBe(tree.size);
}

describe("the drawn tree", () => {
  it.each([
    [false, false],
    [true, false],
    [false, true],
    [true, true],
  ])("equals the plain one (internals hidden: %s, dependencies hidden: %s)", (hideInternals, hideDependencies) => {
    const tree = buildCallTree(data, { ...ALL, hideInternals, hideDependencies });
    expectSame(tree, data, plainTree(capture.records, hiddenCategories(hideInternals, hideDependencies)));
  });

  it.each([false, true])("inverted, equals the plain one of reversed stacks (dependencies hidden: %s)", (hidden) => {
    const reversed = capture.records.map((one) => ({ ...one, stackTrace: () => one.stackTrace().reverse() }));
    const inverted = invert(data);
    const tree = buildCallTree(inverted, { ...ALL, hideDependencies: hidden });
    expectSame(tree, data, plainTree(reversed, hiddenCategories(false, hidden)));
    for (let node = 0; node < tree.size; node++) expect(tree.nodeOf[tree.origin[node] as number]).toBe(node);
  });

  it("counts one thread, or one kind, alone", () => {
    const indexer = data.threads.indexOf("indexer");
    const tree = buildCallTree(data, { ...ALL, thread: indexer });
    expectSame(tree, data, plainTree(capture.records.filter(({ threadName }) => threadName === "indexer")));
    const pages = buildCallTree(data, { ...ALL, kind: MemoryKind.HEAP_PAGES });
    const native = buildCallTree(data, { ...ALL, kind: MemoryKind.NATIVE });
    expect((pages.value[0] as number) + (native.value[0] as number)).toBe(buildCallTree(data, ALL).value[0]);
    expect(pages.value[0]).toBeGreaterThan(0);
  });

  it("puts children side by side inside of their parent, largest first, level by level", () => {
    for (const metric of ["bytes", "allocations"] as const) {
      const tree = buildCallTree(data, { ...ALL, metric });
      for (let node = 0; node < tree.size; node++) {
        let left = tree.start[node] as number;
        let last = Number.POSITIVE_INFINITY;
        for (let child = tree.firstChild[node] as number; child < (tree.firstChild[node + 1] as number); child++) {
          expect(tree.parent[child]).toBe(node);
          expect(tree.depth[child]).toBe((tree.depth[node] as number) + 1);
          expect(tree.start[child]).toBe(left);
          expect(tree.value[child]).toBeLessThanOrEqual(last);
          last = tree.value[child] as number;
          left += last;
        }
        expect(left).toBeLessThanOrEqual((tree.start[node] as number) + (tree.value[node] as number));
      }
      const levels = tree.levelStart.length - 1;
      for (let level = 0; level < levels; level++) {
        for (let node = tree.levelStart[level] as number; node < (tree.levelStart[level + 1] as number); node++) {
          expect(tree.depth[node]).toBe(level);
        }
      }
    }
  });

  it("maps nodes of the data to nodes of the tree and back", () => {
    const tree = buildCallTree(data, { ...ALL, hideInternals: true, hideDependencies: true });
    for (let node = 0; node < tree.size; node++) {
      const origin = tree.origin[node] as number;
      expect(tree.nodeOf[origin]).toBe(node);
      expect(data.nodes.frame[origin]).toBe(tree.frame[node]);
    }
  });

  it("is just the root when there is nothing", () => {
    const tree = buildCallTree(dataOf({ records: [] }), ALL);
    expect(tree.size).toBe(1);
    expect(nodeAt(tree, 0, 0.5)).toBe(-1);
    expect(visibleDepth(tree, WHOLE, 1000, 0.7)).toBe(1);
  });
});

describe("what a screen shows", () => {
  const tree = buildCallTree(data, ALL);

  it("is every frame at least as wide as the limit, where it belongs, and runs of the others", () => {
    const view = { start: 0.17, end: 0.62 };
    const scale = 900 / ((tree.value[0] as number) * (view.end - view.start));
    const offset = (tree.value[0] as number) * view.start;
    const seen = new Map<number, [number, number]>();
    const rests: [number, number, number][] = [];
    visitVisible(tree, view, 900, 0.7, {
      frame: (node, _depth, left, right) => seen.set(node, [left, right]),
      rest: (depth, left, right, first, end) => {
        rests.push([depth, left, right]);
        for (let node = first; node < end; node++) expect(tree.depth[node]).toBe(depth);
      },
    });
    for (let node = 0; node < tree.size; node++) {
      const left = ((tree.start[node] as number) - offset) * scale;
      const right = left + (tree.value[node] as number) * scale;
      const wide = right - left >= 0.7 && right > 0 && left < 900;
      expect(seen.has(node), `node ${node}`).toBe(wide);
      if (wide) {
        expect(seen.get(node)?.[0]).toBeCloseTo(left, 6);
        expect(seen.get(node)?.[1]).toBeCloseTo(right, 6);
      } else if (right > 0 && left < 900 && seen.has(tree.parent[node] as number)) {
        const covered = rests.some(
          ([depth, from, to]) => depth === tree.depth[node] && from <= left + 1e-6 && to >= right - 1e-6,
        );
        expect(covered, `narrow node ${node}`).toBe(true);
      }
    }
    expect(seen.size).toBeGreaterThan(50);
    expect(rests.length).toBeGreaterThan(5);
  });

  it("costs what the screen holds, not what the tree holds", () => {
    const large = dataOf(syntheticCapture(100_000));
    let visits = 0;
    const count = (): void => {
      visits++;
    };
    visitVisible(buildCallTree(large, ALL), WHOLE, 1000, 0.7, { frame: count, rest: count });
    expect(visits).toBeLessThan(25_000);
  });

  it("is found again under the pointer", () => {
    const whole = tree.value[0] as number;
    for (let node = 0; node < tree.size; node += 7) {
      const middle = ((tree.start[node] as number) + (tree.value[node] as number) / 2) / whole;
      expect(nodeAt(tree, tree.depth[node] as number, middle)).toBe(node);
    }
    expect(nodeAt(tree, 1, 1)).toBe(-1);
    expect(nodeAt(tree, -1, 0.5)).toBe(-1);
    expect(nodeAt(tree, 10_000, 0.5)).toBe(-1);
  });
});

describe("views", () => {
  it("zoom about a point that stays where it is", () => {
    const view = zoomAbout({ start: 0.2, end: 0.6 }, 0.25, 0.5);
    expect(view.start + (view.end - view.start) * 0.25).toBeCloseTo(0.3, 12);
    expect(view.end - view.start).toBeCloseTo(0.2, 12);
    expect(zoomAbout(view, 0.5, 1e6)).toEqual(WHOLE);
  });

  it("never leave the graph", () => {
    const right = pan({ start: 0.5, end: 0.9 }, 3);
    expect(right.end).toBe(1);
    expect(right.start).toBeCloseTo(0.6, 12);
    expect(pan({ start: 0.5, end: 0.9 }, -3).start).toBe(0);
  });

  it("move to a frame only as far as they must", () => {
    expect(reveal({ start: 0.2, end: 0.4 }, { start: 0.25, end: 0.3 })).toEqual({ start: 0.2, end: 0.4 });
    expect(reveal({ start: 0.2, end: 0.4 }, { start: 0.5, end: 0.55 }).end).toBeCloseTo(0.55, 12);
    expect(reveal({ start: 0.2, end: 0.4 }, { start: 0.1, end: 0.5 })).toEqual({ start: 0.1, end: 0.5 });
  });

  it("pass smoothly from one to the other", () => {
    const from = WHOLE;
    const to = { start: 0.7, end: 0.701 };
    expect(interpolate(from, to, 0).start).toBeCloseTo(0, 12);
    expect(interpolate(from, to, 1)).toEqual(to);
    let last = 1;
    for (let t = 0.1; t < 1; t += 0.1) {
      const { start, end } = interpolate(from, to, t);
      expect(end - start).toBeLessThan(last);
      expect(start).toBeLessThanOrEqual(to.start);
      expect(end).toBeGreaterThanOrEqual(to.end);
      last = end - start;
    }
  });
});

describe("search", () => {
  const tree = buildCallTree(data, ALL);
  const total = (text: string): number => findMatches(tree, matchFrames(data, parseQuery(text))).bytes;

  it.each(["scanline", "READROW", "src/csv", "node:", "import.ts:42"])(
    "counts overlapping matches of %s once",
    (text) => {
      const needle = text.toLowerCase();
      const matches = (name: string): boolean => {
        const lower = name.toLowerCase();
        return text.endsWith(":42") ? /import\.ts:42(?!\d)/.test(lower) : lower.includes(needle);
      };
      const expected = plainSearch(plainTree(capture.records), matches);
      expect(expected).toBeGreaterThan(0);
      expect(total(text)).toBe(expected);
    },
  );

  it("takes a regular expression between slashes, in its own case", () => {
    const expected = plainSearch(plainTree(capture.records), (name) => /^(parse|decode)Row\b/.test(name));
    expect(expected).toBeGreaterThan(0);
    expect(total("/^(parse|decode)Row\\b/")).toBe(expected);
    expect(total("/^PARSEROW/")).toBe(0);
    expect(total("/^PARSEROW/gi")).toBe(total("/^parseRow/"));
  });

  it("says when an expression is none", () => {
    expect(parseQuery("/(/").state).toBe("bad");
    expect(parseQuery("  ").state).toBe("empty");
    expect(parseQuery("/").state).toBe("empty");
    expect(parseQuery("a/b").state).toBe("ready");
  });

  it("means a line and not the lines that begin like it", () => {
    const one = dataOf({
      records: [
        record({ path: [frame("a", "/x.ts", 4, 2)], size: 1 }),
        record({ path: [frame("b", "/x.ts", 42, 2)], size: 10 }),
      ],
    });
    const search = (text: string): number =>
      findMatches(buildCallTree(one, ALL), matchFrames(one, parseQuery(text))).bytes;
    expect(search("x.ts:4")).toBe(1);
    expect(search("x.ts:4:2")).toBe(1);
    expect(search("x.ts")).toBe(11);
  });

  it("lists matches from the largest down", () => {
    const { nodes } = findMatches(tree, matchFrames(data, parseQuery("row")));
    for (let i = 1; i < nodes.length; i++) {
      expect(tree.value[nodes[i] as number]).toBeLessThanOrEqual(tree.value[nodes[i - 1] as number] as number);
    }
  });
});

describe("lines that hold most", () => {
  it("credit the innermost line of the program, then of a package, then the thread", () => {
    const own = frame("own", "/app/a.ts", 5, 1);
    const other = frame("other", "/app/a.ts", 5, 30);
    const pkg = frame("pkg", "/app/node_modules/p/i.js", 9, 1);
    const internal = frame("alloc", "node:buffer", 7, 1);
    const small = dataOf({
      records: [
        record({ path: [own, pkg, internal], size: 100 }),
        record({ path: [own, pkg, other, internal], size: 200 }),
        record({ path: [internal, pkg, internal], size: 40 }),
        record({ path: [], size: 8, threadName: "pool" }),
      ],
    });
    const rows = (scope: LineScope) =>
      holdingLines(small, ALL, scope).map(({ frame: row, bytes }) => [
        small.strings[small.frames.function[row] as number],
        bytes,
      ]);
    expect(rows("program")).toEqual([
      ["other", 300],
      ["pkg", 40],
      ["thread: pool", 8],
    ]);
    expect(rows("any")).toEqual([
      ["other", 200],
      ["pkg", 140],
      ["thread: pool", 8],
    ]);
  });

  it("add up to everything", () => {
    const tree = buildCallTree(data, ALL);
    const lines = holdingLines(data, ALL, "program");
    expect(lines.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(tree.totalBytes[0]);
    const first = lines[0]?.frame as number;
    const node = nodeOfLine(data, tree, first);
    expect(data.frames.line[tree.frame[node] as number]).toBe(data.frames.line[first]);
  });
});

describe("lines in total", () => {
  it.each(["program", "any"] as const)("count each stack once for each of its lines (%s)", (scope) => {
    const sums = new Map<string, number>();
    for (const one of capture.records) {
      const frames = one.stackTrace();
      const mine = frames.filter((at) => scope === "any" || categoryOf(at) === Category.PROGRAM);
      const lines = new Set(mine.map(({ file, line }) => `${file}:${line}`));
      if (frames.length === 0 && scope === "any") lines.add(`thread: ${one.threadName}`);
      for (const line of lines) sums.set(line, (sums.get(line) ?? 0) + one.size);
    }
    const found = totalLines(data, ALL, scope).map(({ frame: at, bytes }): [string, number] => {
      const file = data.strings[data.frames.file[at] as number];
      const name = data.strings[data.frames.function[at] as number] ?? "";
      return [file === "" ? name : `${file}:${data.frames.line[at]}`, bytes];
    });
    expect(new Map(found)).toEqual(sums);
    expect(found.map(([, bytes]) => bytes)).toEqual([...sums.values()].sort((a, b) => b - a));
  });

  it("count a recursive line once", () => {
    const again = frame("again", "/app/a.ts", 5, 1);
    const small = dataOf({ records: [record({ path: [again, again, again], size: 100 })] });
    expect(totalLines(small, ALL, "program").map(({ bytes }) => bytes)).toEqual([100]);
  });
});

describe("what lies below a frame", () => {
  it("adds up by kind and by thread", () => {
    const tree = buildCallTree(data, { ...ALL, hideDependencies: true });
    for (const node of [0, 1, 2, 5, 40]) {
      const { nativeBytes, heapPageBytes, jsBytes, pythonBytes, threads } = compositionOf(data, tree, ALL, node);
      expect(nativeBytes + heapPageBytes + jsBytes + pythonBytes).toBe(tree.totalBytes[node]);
      expect(threads.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(tree.totalBytes[node]);
    }
  });
});

describe("keys", () => {
  it("move through the tree and stop at its edges", () => {
    const tree = buildCallTree(data, ALL);
    expect(move(tree, 0, "parent")).toBe(0);
    expect(move(tree, 0, "next")).toBe(0);
    const child = move(tree, 0, "child");
    expect(tree.parent[child]).toBe(0);
    expect(move(tree, child, "previous")).toBe(child);
    expect(move(tree, move(tree, child, "next"), "previous")).toBe(child);
    const leaf = tree.size - 1;
    expect(move(tree, leaf, "child")).toBe(leaf);
    expect(pathTo(tree, leaf)[0]).toBe(0);
    expect(pathTo(tree, leaf).length).toBe((tree.depth[leaf] as number) + 1);
  });
});

describe("texts", () => {
  it("print sizes as memray does, with honest units", () => {
    expect(formatBytes(5_000_000)).toBe("4.768MiB");
    expect(formatBytes(0)).toBe("0B");
    expect(formatBytes(1023)).toBe("1023B");
    expect(formatBytes(1024)).toBe("1.000KiB");
    expect(formatBytes(3 * 1024 ** 4)).toBe("3.000TiB");
    expect(formatBytesShort(256 * 1024 ** 2)).toBe("256 MiB");
    expect(formatBytesShort(1.5 * 1024 ** 3)).toBe("1.5 GiB");
  });

  it("never round a part to nothing or to everything", () => {
    expect(formatPercent(1, 1e9)).toBe("<0.01%");
    expect(formatPercent(999_999_999, 1e9)).toBe(">99.99%");
    expect(formatPercent(1, 3)).toBe("33.33%");
    expect(formatPercent(3, 3)).toBe("100%");
    expect(formatPercent(0, 0)).toBe("0%");
  });

  it("tell durations", () => {
    expect(formatDuration(812)).toBe("812 ms");
    expect(formatDuration(12_431)).toBe("12.4 s");
    expect(formatDuration(61_000)).toBe("1 min 1 s");
    expect(formatDuration(3_720_000)).toBe("1 h 2 min");
  });

  it("spell out what would be unseen or would reorder its neighbours", () => {
    expect(visible("a\u0000\nb")).toBe("a\u2400\u240ab");
    expect(visible("\u202egnp.exe")).toBe("\\u{202e}gnp.exe");
    expect(visible("a\u200bb\ufeff")).toBe("a\\u{200b}b\\u{feff}");
    expect(visible("\ud800")).toBe("\\u{d800}");
    expect(visible("größe 😀 שלום")).toBe("größe 😀 שלום");
  });

  it("shorten paths", () => {
    expect(displayPath("/app/src/a.ts", "/app")).toBe("src/a.ts");
    expect(displayPath("/apple/a.ts", "/app")).toBe("/apple/a.ts");
    expect(displayPath("file:///app/my%20file.ts", "/app")).toBe("my file.ts");
    expect(displayPath("file:///bad%zz", "/app")).toBe("/bad%zz");
    expect(baseName("/app/src/a.ts")).toBe("a.ts");
    expect(baseName("node:internal/fs/promises")).toBe("node:internal/fs/promises");
  });

  it("fit into their frames", () => {
    const fitter = new TextFitter((text) => text.length * 10);
    expect(fitter.fit("abcdef", 60)).toBe("abcdef");
    expect(fitter.fit("abcdef", 59)).toBe("abcd…");
    expect(fitter.fit("abcdef", 40)).toBe("abc…");
    expect(fitter.fit("abcdef", 39)).toBe("");
    expect(fitter.fit("ab", 20)).toBe("ab");
  });
});

describe("colours", () => {
  it("keep every label readable (WCAG AA) in both themes", () => {
    for (const theme of ["light", "dark"] as const) {
      const ink = INKS[theme];
      for (const category of Object.values(Category)) {
        for (let variant = 0; variant < HUES * SHADES; variant++) {
          const fill = fillOf(theme, category, variant % HUES, Math.floor(variant / HUES));
          expect(contrast(fill, ink.ink), `${theme} ${category}/${variant} ${fill}`).toBeGreaterThanOrEqual(4.5);
          expect(contrast(fill, ink.inkSoft), `${theme} ${category}/${variant} ${fill}`).toBeGreaterThanOrEqual(4.5);
        }
      }
      expect(contrast(ink.match, ink.matchInk)).toBeGreaterThanOrEqual(7);
      expect(contrast(ink.match, ink.matchInkSoft)).toBeGreaterThanOrEqual(4.5);
    }
  });
});
