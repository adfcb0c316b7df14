import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { TemporalAllocationRecord } from "../../src/analysis/temporal-records.js";
import { AllocatorType } from "../../src/capture/wire.js";
import type { FlameGraphData } from "../../src/reporters/flamegraph-data.js";
import { flameGraphHtml, readTemplate } from "../../src/reporters/flamegraph-page.js";
import type { TemporalTables, TemporalView } from "../../src/reporters/temporal-data.js";
import { temporalFlameGraphData } from "../../src/reporters/temporal-flamegraph.js";
import { formatBytes, formatCount } from "../../ui/src/model/format.js";
import { formatMoment, moved, touched } from "../../ui/src/model/time-range.js";
import { buildCallTree, type TreeOptions } from "../../ui/src/model/tree.js";
import { RangeState } from "../../ui/src/range-state.js";
import { launchChromium, type OpenReport, openReport } from "./browser.js";
import { metadata, randomNumbers, syntheticCapture } from "./synthetic.js";

/** A run of 50 intervals of 100 ms. */
const INTERVALS = 50;
const INTERVAL_MS = 100;
const { HEAP_PAGES } = AllocatorType;

const ALL: TreeOptions = { hideInternals: false, hideDependencies: false, thread: -1, kind: -1, metric: "bytes" };

interface Block {
  readonly record: TemporalAllocationRecord;
  readonly made: number;
  readonly freed: number | undefined;
  readonly bytes: number;
}

/** Blocks that live from interval to interval, as records; each stack has some. */
function blocksOf(nodes: number, each: number): readonly Block[] {
  const random = randomNumbers(3);
  return syntheticCapture(nodes).records.flatMap((base): Block[] =>
    Array.from({ length: each }, () => {
      const made = Math.floor(random() * INTERVALS);
      const end = made + 1 + Math.floor(random() * 20);
      const freed = end < INTERVALS ? end : undefined;
      const bytes = 16 + Math.floor(random() * 100_000);
      const interval = {
        allocatedBeforeSnapshot: made,
        deallocatedBeforeSnapshot: freed,
        nAllocations: 1,
        nBytes: bytes,
      };
      const { tid, threadName, allocator, stackId } = base;
      const stackTrace = (most?: number) => base.stackTrace(most);
      return { made, freed, bytes, record: { tid, threadName, allocator, stackId, stackTrace, intervals: [interval] } };
    }),
  );
}

const isHeld = ({ made, freed = Infinity }: Block, interval: number): boolean => made <= interval && interval < freed;
const sumOf = (blocks: readonly Block[]): number => blocks.reduce((sum, { bytes }) => sum + bytes, 0);

function marksOf(blocks: readonly Block[]): number[] {
  return Array.from({ length: INTERVALS }, (_, i) => sumOf(blocks.filter((block) => isHeld(block, i))));
}

function dataOf(blocks: readonly Block[], kind: TemporalView, maxRows?: number): FlameGraphData {
  const marks = marksOf(blocks);
  const records = blocks.map(({ record }) => record);
  const snapshots = marks.slice(0, -1).map((tracked, i) => ({
    timeMs: (i + 1) * INTERVAL_MS,
    rss: tracked * 1.2,
    heapUsed: 1e6,
    heapCommitted: 2e6,
    external: 0,
    tracked,
  }));
  const all = (): TemporalAllocationRecord[] & { snapshots: typeof snapshots } =>
    Object.assign([...records], { snapshots });
  return temporalFlameGraphData({
    kind,
    highWaterMarks: () => Object.assign(all(), { highWaterMarkBySnapshot: marks }),
    leaks: all,
    snapshots: () => snapshots,
    metadata: metadata({ startTimeMs: 0, endTimeMs: INTERVALS * INTERVAL_MS, peakMemory: Math.max(...marks) }),
    ...(maxRows !== undefined && { maxRows }),
  });
}

/** The blocks that a range shows, by their definition. */
function shownOf(blocks: readonly Block[], view: TemporalView, first: number, last: number): readonly Block[] {
  if (view === "leaks") {
    return blocks.filter(({ made, freed = Infinity }) => first <= made && made <= last && freed > last);
  }
  const marks = marksOf(blocks).slice(first, last + 1);
  const highest = first + marks.indexOf(Math.max(...marks));
  return blocks.filter((block) => isHeld(block, highest));
}

describe("a range of time", () => {
  const edges = Float64Array.of(0, 10, 20, 20, 30);

  it.each([
    [0, 30, 0, 3],
    [10, 20, 1, 1],
    [9.9, 20.1, 0, 3],
    [20, 20, 3, 3],
    [12, 11, 1, 1],
    [-5, -4, 0, 0],
    [40, 50, 3, 3],
  ])("from %d to %d ms touches the intervals %d to %d", (from, to, first, last) => {
    expect(touched(edges, from, to)).toEqual({ first, last });
  });

  it("moves as far as there is time, and its ends as far as each other", () => {
    const range = { first: 3, last: 5 };
    expect(moved(range, "start", -9, 10)).toEqual({ first: 0, last: 5 });
    expect(moved(range, "start", 9, 10)).toEqual({ first: 5, last: 5 });
    expect(moved(range, "end", 9, 10)).toEqual({ first: 3, last: 9 });
    expect(moved(range, "end", -9, 10)).toEqual({ first: 3, last: 3 });
    expect(moved(range, "whole", 9, 10)).toEqual({ first: 7, last: 9 });
    expect(moved(range, "whole", -9, 10)).toEqual({ first: 0, last: 2 });
  });

  it("is told so that its ends can be told apart", () => {
    expect(formatMoment(510, 10)).toBe("510 ms");
    expect(formatMoment(61_230, 10)).toBe("1 min 1.23 s");
    expect(formatMoment(59_999, 100)).toBe("1 min 0.0 s");
    expect(formatMoment(7_325_000, 4000)).toBe("2 h 2 min 5 s");
  });

  it("of 100,000 rows is added up, tree and all, while a pointer moves", () => {
    const blocks = blocksOf(30_000, 60);
    const data = dataOf(blocks, "leaks");
    expect(data.temporal?.leaks?.weight.length).toBeGreaterThan(100_000);
    const time = new RangeState(data, data.temporal as TemporalTables);
    const times: number[] = [];
    for (let i = 0; i < 15; i++) {
      const began = performance.now();
      time.choose(i * 100, 2000 + i * 150);
      const tree = buildCallTree({ ...data, weights: { ...data.weights, ...time.amounts.value } }, ALL);
      expect(tree.totalBytes[0]).toBe(time.totals.value.bytes);
      times.push(performance.now() - began);
    }
    times.sort((a, b) => a - b);
    console.log(
      `${data.temporal?.leaks?.weight.length} rows, ${data.nodes.parent.length} nodes: ${times[7]?.toFixed(1)} ms a range, at best ${times[0]?.toFixed(1)}`,
    );
    // The budget is 50 ms on a machine of its own; tests share theirs.
    expect(times[0]).toBeLessThan(100);
  });
});

describe("the page of ranges of time", () => {
  const blocks = blocksOf(400, 3);
  let browser: Browser;
  let report: OpenReport | undefined;
  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser?.close());
  afterEach(async () => {
    await report?.close();
    report = undefined;
  });

  async function open(data: FlameGraphData, width = 1400): Promise<Page> {
    report = await openReport(browser, flameGraphHtml(data, "test", readTemplate()), {
      viewport: { width, height: 800 },
    });
    await report.page.locator(".brush").waitFor();
    return report.page;
  }

  const eventually = <T>(read: () => Promise<T>) => expect.poll(read, { timeout: 10_000, interval: 20 });

  async function expectShown(page: Page, view: TemporalView, first: number, last: number): Promise<void> {
    const shown = shownOf(blocks, view, first, last);
    const bytes = sumOf(shown);
    const exact = `${formatCount(bytes)} bytes in ${formatCount(shown.length)} allocations`;
    await eventually(() => page.locator(".range-amount").getAttribute("title")).toBe(exact);
    // The root of the graph, which is drawn of the same weights.
    await page.locator(".scroller").focus();
    await page.keyboard.press("Home");
    const status = page.locator(".unseen[role=status]");
    await eventually(() => status.textContent()).toContain(`all memory; ${formatBytes(bytes)}, `);
    await eventually(() => status.textContent()).toContain(`${formatCount(shown.length)} allocations`);
  }

  /** Drags on the chart, from the middle of one interval to that of another. */
  async function drag(page: Page, from: number, to: number): Promise<void> {
    const box = await page.locator(".brush").boundingBox();
    if (!box) throw new Error("no chart");
    const x = (at: number): number => box.x + (box.width * at) / INTERVALS;
    await page.mouse.move(x(from), box.y + 30);
    await page.mouse.down();
    await page.mouse.move((x(from) + x(to)) / 2, box.y + 34);
    await page.mouse.move(x(to), box.y + 36);
    await page.mouse.up();
  }

  it.each(["high-water-mark", "leaks"] as const)(
    "shows what a range held that is drawn by pointer: %s",
    async (view) => {
      const page = await open(dataOf(blocks, view));
      await expectShown(page, view, 0, INTERVALS - 1);
      expect(await page.locator(".range-times").textContent()).toBe("Whole run");
      await drag(page, 10.5, 20.5);
      await expectShown(page, view, 10, 20);
      expect(await page.locator(".range-times").textContent()).toBe("1.0 s to 2.1 s");
      // An end, the range as it is, and a new range beside it.
      await drag(page, 21, 30.5);
      await expectShown(page, view, 10, 30);
      await drag(page, 15.5, 20.5);
      await expectShown(page, view, 15, 35);
      await drag(page, 45.5, 40.5);
      await expectShown(page, view, 40, 45);
      await page.getByRole("button", { name: "Reset range" }).click();
      await expectShown(page, view, 0, INTERVALS - 1);
      expect(report?.complaints).toEqual([]);
    },
  );

  it("shows what a range held that is chosen by keys, and the other view of it", async () => {
    const page = await open(dataOf(blocks, "high-water-mark"));
    await page.getByRole("slider", { name: "Start of the range" }).focus();
    for (const key of ["ArrowRight", "ArrowRight", "PageUp", "Shift+ArrowRight", "ArrowLeft"])
      await page.keyboard.press(key);
    await expectShown(page, "high-water-mark", 11, INTERVALS - 1);
    const end = page.getByRole("slider", { name: "End of the range" });
    await end.focus();
    await page.keyboard.press("Home");
    for (let i = 0; i < 4; i++) await page.keyboard.press("ArrowRight");
    await expectShown(page, "high-water-mark", 11, 15);
    expect(await end.getAttribute("aria-valuetext")).toBe("1.6 s");
    expect(await end.getAttribute("aria-valuenow")).toBe("15");
    const whole = page.getByRole("slider", { name: "Range of time" });
    await whole.focus();
    await page.keyboard.press("PageUp");
    await expectShown(page, "high-water-mark", 16, 20);
    expect(await whole.getAttribute("aria-valuetext")).toBe("1.6 s to 2.1 s");
    await page.getByRole("button", { name: "leaks" }).click();
    await expectShown(page, "leaks", 16, 20);
    await whole.focus();
    await page.keyboard.press("Escape");
    await expectShown(page, "leaks", 0, INTERVALS - 1);
  });

  it("searches, hides, inverts and tells threads and lines apart within the range", async () => {
    const page = await open(dataOf(blocks, "leaks"));
    await drag(page, 10.5, 20.5);
    const shown = shownOf(blocks, "leaks", 10, 20);
    const named = (block: Block, name: string): boolean =>
      block.record.stackTrace().some((frame) => frame.function === name);
    await page.locator("#search").fill("/^main$/");
    const found = formatBytes(sumOf(shown.filter((block) => named(block, "main"))));
    await eventually(() => page.locator("#search-result").textContent()).toContain(found);
    const root = async (): Promise<string | null> => {
      await page.locator(".scroller").focus();
      await page.keyboard.press("Home");
      return page.locator(".unseen[role=status]").textContent();
    };
    const all = `all memory; ${formatBytes(sumOf(shown))}, `;
    for (const name of ["node internals", "node_modules", "inverted"]) {
      await page.getByRole("button", { name, exact: true }).click();
      await eventually(root).toContain(all);
    }
    const amounts = await page.locator(".line-amount").allTextContents();
    const ofThread = shown.filter(({ record }) => record.threadName === "indexer");
    await page.getByRole("combobox", { name: "Thread" }).selectOption({ label: "indexer" });
    await eventually(root).toContain(`all memory; ${formatBytes(sumOf(ofThread))}, `);
    await eventually(() => page.locator(".line-amount").allTextContents()).not.toEqual(amounts);
    // The range goes on to count for what was chosen.
    await page.locator("#search").fill("");
    await drag(page, 30.5, 35.5);
    const later = shownOf(blocks, "leaks", 30, 35).filter(({ record }) => record.threadName === "indexer");
    await eventually(root).toContain(`all memory; ${formatBytes(sumOf(later))}, `);
    await page.getByRole("combobox", { name: "Thread" }).selectOption({ label: "all" });
    await page.getByRole("combobox", { name: "Memory" }).selectOption({ label: "heap pages" });
    const pages = shownOf(blocks, "leaks", 30, 35).filter(({ record }) => record.allocator === HEAP_PAGES);
    await eventually(root).toContain(`all memory; ${formatBytes(sumOf(pages))}, `);
    expect(report?.complaints).toEqual([]);
  });

  it("has one view alone where there is no room for both", async () => {
    const page = await open(dataOf(blocks, "leaks", blocks.length));
    await expectShown(page, "leaks", 0, INTERVALS - 1);
    expect(await page.getByRole("button", { name: "high-water mark" }).count()).toBe(0);
  });

  it.each([1400, 800])("keeps the range's parts apart in a window %d pixels wide", async (width) => {
    const page = await open(dataOf(blocks, "high-water-mark"), width);
    const height = async () => (await page.locator(".memory").boundingBox())?.height;
    const before = await height();
    await drag(page, 10.5, 20.5);
    await expectShown(page, "high-water-mark", 10, 20);
    const boxes = await page
      .locator(".memory-head > *, .time-range > *")
      .evaluateAll((all) => all.map((one) => one.getBoundingClientRect().toJSON() as DOMRect));
    for (const [i, a] of boxes.entries()) {
      for (const b of boxes.slice(i + 1)) {
        const apart = a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top;
        expect(apart, JSON.stringify([a, b])).toBe(true);
      }
    }
    const words = page.locator(".range-words");
    expect(await words.evaluate((one) => one.scrollWidth > one.clientWidth)).toBe(false);
    expect(await words.textContent()).toMatch(/^1\.0 s to 2\.1 s held at most .*iB around \d\.\d s/);
    // The chart does not jump under the pointer.
    expect(await height()).toBe(before);
  });
});
