import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { flameGraphData } from "../../src/reporters/flamegraph.js";
import { flameGraphHtml, readTemplate } from "../../src/reporters/flamegraph-page.js";
import { tableData, tableHtml } from "../../src/reporters/table.js";
import { baseName } from "../../ui/src/model/names.js";
import { readerOf } from "../support/memory-reader.js";
import { pythonCapture } from "../support/python-capture.js";
import { launchChromium, type OpenReport, openReport } from "./browser.js";

let browser: Browser;
let report: OpenReport | undefined;

beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser?.close());
afterEach(async () => {
  expect(report?.complaints ?? []).toEqual([]);
  await report?.close();
  report = undefined;
});

function input() {
  const reader = readerOf(pythonCapture({ pymalloc: true }).finish());
  return {
    records: reader.getHighWatermarkAllocationRecords({ mergeThreads: false }),
    snapshots: reader.getMemorySnapshots(),
    metadata: reader.metadata,
    kind: "high-water-mark",
    sourceLine: (file: string, line: number) => `line ${line} of ${file}`,
  } as const;
}

async function open(html: string): Promise<Page> {
  report = await openReport(browser, html);
  await report.page.locator(".toolbar").waitFor();
  return report.page;
}

describe("a flame graph of a Python program", () => {
  it("speaks of Python", async () => {
    const page = await open(flameGraphHtml(flameGraphData(input()), "test", readTemplate()));
    const text = await page.locator("#app").textContent();
    expect(text).toMatch(/python 3\.13\.1/);
    expect(await page.locator(".legend li").allInnerTexts()).toEqual([
      "Your program",
      "Packages",
      "Standard library",
      "Thread",
    ]);
    expect(await page.locator(".toolbar .toggle").allInnerTexts()).toEqual([
      "Python internals",
      "packages",
      "inverted",
    ]);
    expect(text).not.toMatch(/JavaScript|JS heap|\bnode\b|node_modules|V8/i);
    await page.keyboard.press("?");
    expect(await page.locator("dialog").textContent()).toMatch(/file:line,/);
  });

  it("tells what Python's own allocator gave, and counts that alone", async () => {
    const page = await open(flameGraphHtml(flameGraphData(input()), "test", readTemplate()));
    const memory = page.locator("label.group", { hasText: "Memory" }).locator("select");
    expect(await memory.locator("option").allTextContents()).toEqual(["all", "native", "Python's own"]);
    await memory.selectOption("Python's own");
    const box = await page.locator(".scroller canvas").boundingBox();
    await page.mouse.move((box?.x ?? 0) + 20, (box?.y ?? 0) + 30);
    const tip = await page.locator(".tooltip").textContent();
    expect(tip).toMatch(/<module>\s*app\.py:40\s*line 40 of \/srv\/app\/app\.py/);
    expect(tip).toContain("12,100 bytes of Python's own allocator");
  });
});

it("a table has the names of Python's allocators", async () => {
  const page = await open(tableHtml(tableData(input()), "test"));
  const text = await page.locator("#app").textContent();
  expect(text).toMatch(/pymalloc_realloc/);
  expect(text).not.toMatch(/JavaScript|node_modules/);
});

it("files that every package has are called with their package", () => {
  expect(baseName("/usr/lib/python3.13/json/__init__.py")).toBe("json/__init__.py");
  expect(baseName("/srv/app/app.py")).toBe("app.py");
  expect(baseName("__init__.py")).toBe("__init__.py");
});
