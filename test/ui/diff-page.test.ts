import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import type { FlameGraphData } from "../../src/reporters/flamegraph-data.js";
import { flameGraphHtml, readTemplate } from "../../src/reporters/flamegraph-page.js";
import { stepFill } from "../../ui/src/graph/change-palette.js";
import type { Theme } from "../../ui/src/graph/palette.js";
import { launchChromium, type OpenReport, openReport } from "./browser.js";
import { frame, record } from "./synthetic.js";
import { diffOf } from "./synthetic-diff.js";

const KIB = 1024;
const FOLDER = "/home/ada/catalog";
const main = frame("main", `${FOLDER}/main.ts`, 1);
const on = (name: string, kib: number, threadName = "main") =>
  record({ path: [main, frame(name, `${FOLDER}/${name}.ts`, 7)], size: kib * KIB, threadName });

// After: grown 60, shrunk 20, fresh 15, same 5; before: gone 40, shrunk 35, grown 20, same 5.
const data = diffOf(
  [on("grown", 20), on("shrunk", 35), on("gone", 40), on("same", 5)],
  [on("grown", 60), on("shrunk", 20), on("fresh", 15, "worker"), on("same", 5)],
);

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

async function open(colorScheme: Theme = "light", from: FlameGraphData = data): Promise<Page> {
  report = await openReport(browser, flameGraphHtml(from, "test", readTemplate()), { colorScheme });
  await report.page.locator(".scroller canvas").waitFor();
  return report.page;
}

/** Levels below the root: main, then what it called. */
async function placeOf(page: Page, depth: number, share: number): Promise<[number, number]> {
  const box = await page.locator(".scroller canvas").boundingBox();
  if (!box) throw new Error("the graph has no canvas");
  return [box.x + share * box.width, box.y + (depth + 0.5) * 21];
}

/** The colour near the bottom of a frame, below its text. */
async function colourAt(page: Page, depth: number, share: number): Promise<string> {
  const [x, y] = await placeOf(page, depth, share);
  return page.evaluate(
    ([x, y]) => {
      const canvas = document.querySelector<HTMLCanvasElement>(".scroller canvas");
      const box = canvas?.getBoundingClientRect();
      const pixel = box && canvas?.getContext("2d")?.getImageData(x - box.left, y + 8 - box.top, 1, 1).data;
      return `#${[...(pixel ?? [])]
        .slice(0, 3)
        .map((channel) => channel.toString(16).padStart(2, "0"))
        .join("")}`;
    },
    [x, y] as const,
  );
}

/** What the tooltip says of the frame at a share of the width; its cells, row by row. */
async function tipAt(page: Page, share: number): Promise<{ name: string; rows: string[][] }> {
  await page.mouse.move(...(await placeOf(page, 2, share)));
  const tooltip = page.getByRole("tooltip");
  await tooltip.waitFor();
  const rows = await tooltip
    .locator("tbody tr")
    .evaluateAll((all) => all.map((row) => [...row.children].map((cell) => cell.textContent ?? "")));
  return { name: (await tooltip.locator("strong").textContent()) ?? "", rows };
}

const eventually = <T>(read: () => Promise<T>) => expect.poll(read, { timeout: 10_000, interval: 20 });
const nameAt = (page: Page, share: number) => tipAt(page, share).then(({ name }) => name);
const choose = (page: Page, name: string) => page.getByRole("button", { name, exact: true }).click();

it("tells what is compared, both sums and the change, and complains of nothing", async () => {
  const page = await open();
  await eventually(() => page.locator(".subject p").textContent()).toBe(
    "new.bin at its peak, compared with old.bin at its peak",
  );
  const facts = await page.locator(".facts").textContent();
  expect(facts).toContain("Before100.000KiBAfter100.000KiBChange±0 (±0%)");
  await eventually(() => page.locator(".legend .swatch").count()).toBe(9);
  expect(await page.locator(".legend").isVisible()).toBe(true);
  const legend = await page.locator(".legend").boundingBox();
  // Below the graph, though there is no chart above it.
  expect(legend?.y).toBeGreaterThan(600);
  expect((legend?.y ?? 0) + (legend?.height ?? 0)).toBeLessThanOrEqual(720);
  expect(report?.complaints).toEqual([]);
});

it.each(["light", "dark"] as const)(
  "grown, shrunk and unchanged frames have colours of their own in %s",
  async (theme) => {
    const page = await open(theme);
    await eventually(() => colourAt(page, 2, 0.3)).toBe(stepFill(theme, 3));
    await eventually(() => colourAt(page, 2, 0.7)).toBe(stepFill(theme, -3));
    await eventually(() => colourAt(page, 2, 0.9)).toBe(stepFill(theme, 4));
    await eventually(() => colourAt(page, 2, 0.98)).toBe(stepFill(theme, 0));
    await eventually(() => colourAt(page, 1, 0.5)).toBe(stepFill(theme, 0));
  },
);

it("the tooltip has both sides and the change", async () => {
  const page = await open();
  expect(await tipAt(page, 0.3)).toEqual({
    name: "grown",
    rows: [
      ["Total", "20.000KiB", "60.000KiB", "+40.000KiB", "+200.0%"],
      ["Own", "20.000KiB", "60.000KiB", "+40.000KiB", "+200.0%"],
      ["Allocations", "1", "1", "±0", "±0%"],
    ],
  });
  await eventually(async () => (await tipAt(page, 0.7)).rows[0]).toEqual([
    "Total",
    "35.000KiB",
    "20.000KiB",
    "−15.000KiB",
    "−42.9%",
  ]);
});

it("widths are those of after, of before with what is gone, or of the change alone", async () => {
  const page = await open();
  const order = async (shares: readonly number[]) => {
    const names: string[] = [];
    for (const share of shares) names.push(await nameAt(page, share));
    return names;
  };
  await eventually(() => order([0.58, 0.62, 0.82, 0.97])).toEqual(["grown", "shrunk", "fresh", "same"]);
  await choose(page, "before");
  await eventually(() => order([0.38, 0.42, 0.77, 0.97])).toEqual(["gone", "shrunk", "grown", "same"]);
  await eventually(() => colourAt(page, 2, 0.2)).toBe(stepFill("light", -4));
  await choose(page, "change only");
  // 40 each of gone and grown, 15 each of fresh and shrunk, in 110.
  await eventually(async () => (await order([0.18, 0.55])).sort()).toEqual(["gone", "grown"]);
  await eventually(async () => (await order([0.8, 0.93])).sort()).toEqual(["fresh", "shrunk"]);
  expect(await page.locator(".legend").textContent()).toContain("5 frames");
});

it("the lines that changed are listed with both sides, and lead to their frames", async () => {
  const page = await open();
  const lines = page.locator(".lines li");
  await eventually(() => lines.count()).toBe(5);
  const texts = await lines.allTextContents();
  expect(texts.slice(0, 2).sort()).toEqual([
    "gone.ts:7−40.000KiBgonegone40.000KiB → 0B",
    "grown.ts:7+40.000KiBgrown+200.0%20.000KiB → 60.000KiB",
  ]);
  expect(texts.at(-1)).toBe("same.ts:7±0same±0%5.000KiB → 5.000KiB");
  // What is gone is not there to lead to, unless widths are those of before.
  await lines.filter({ hasText: "gone.ts" }).getByRole("button").click();
  await eventually(() => page.locator(".ancestors [aria-current]").textContent()).toContain("gone");
  expect(await page.getByRole("button", { name: "before", exact: true }).getAttribute("aria-pressed")).toBe("true");
  await lines.filter({ hasText: "fresh.ts" }).getByRole("button").click();
  await eventually(() => page.locator(".ancestors [aria-current]").textContent()).toContain("fresh");
  expect(await page.getByRole("button", { name: "after", exact: true }).getAttribute("aria-pressed")).toBe("true");
  await lines.filter({ hasText: "shrunk" }).getByRole("button").click();
  await eventually(() => page.locator(".ancestors [aria-current]").textContent()).toContain("shrunk");
});

it("search, zoom, inversion and threads work as in any graph", async () => {
  const page = await open();
  await page.locator("#search").fill("shrunk.ts");
  await eventually(() => page.locator("#search-result").textContent()).toContain("20.000KiB");
  await page.locator("#search").fill("");
  await page.mouse.click(...(await placeOf(page, 2, 0.3)));
  await eventually(() => nameAt(page, 0.9)).toBe("grown");
  await page.keyboard.press("Escape");
  await choose(page, "inverted");
  await page.mouse.move(...(await placeOf(page, 1, 0.3)));
  await eventually(() => page.getByRole("tooltip").locator("strong").textContent()).toBe("grown");
  await choose(page, "inverted");
  await page.getByLabel("Thread").selectOption({ label: "worker" });
  await eventually(() => nameAt(page, 0.5)).toBe("fresh");
  await choose(page, "before");
  await eventually(() => page.locator(".empty").textContent()).toBe("Nothing is held before.");
});

it("what is all gone is shown as it was before", async () => {
  const page = await open("light", diffOf([on("gone", 40)], []));
  await eventually(() => nameAt(page, 0.5)).toBe("gone");
});
