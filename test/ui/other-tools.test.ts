import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { formatCapture } from "../support/format-capture.js";
import { type Folder, heapray, temporaryFolder } from "../support/heapray.js";
import { launchChromium } from "./browser.js";

/** Formats for tools that run in a browser, read by these tools. */

const SPEEDSCOPE = path.join(
  path.dirname(createRequire(import.meta.url).resolve("speedscope/package.json")),
  "dist/release/index.html",
);
const DEVTOOLS = "devtools://devtools/bundled/devtools_app.html?panel=heap-profiler";

let browser: Browser;
let folder: Folder;
beforeAll(async () => {
  folder = temporaryFolder();
  folder.write("app.bin", formatCapture());
  browser = await launchChromium();
});
afterAll(async () => {
  await browser.close();
  folder.remove();
});

function transformed(format: string, name: string): string {
  const ended = heapray(["transform", format, "-f", "-o", name, "app.bin"], { cwd: folder.path });
  expect(ended).toMatchObject({ status: 0, stderr: "" });
  return folder.join(name);
}

/** A page whose errors fail the test. */
async function opened(url: string, work: (page: Page) => Promise<void>): Promise<void> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 720 } });
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("dialog", (dialog) => {
    errors.push(dialog.message());
    void dialog.dismiss();
  });
  try {
    await page.goto(url);
    await work(page);
  } finally {
    await page.close();
  }
  expect(errors).toEqual([]);
}

describe("speedscope's own importer", () => {
  test.each([
    ["speedscope", "app.speedscope.json", "4.88 KB (32%)"],
    ["pprof", "app.pb.gz", "4.88 KB (32%)"],
    ["heapprofile", "app.heapprofile", "4.88 KB (32%)"],
    ["collapsed", "app.collapsed", "5,000 (32%)"],
  ])("takes %s", async (format, name, weight) => {
    const base64 = readFileSync(transformed(format, name)).toString("base64");
    // With a local profile, speedscope waits for it; its own command hands it over in the same way.
    await opened(`${pathToFileURL(SPEEDSCOPE)}#localProfilePath=none.js`, async (page) => {
      await page.waitForFunction("window.speedscope");
      await page.evaluate(`speedscope.loadFileFromBase64(${JSON.stringify(name)}, ${JSON.stringify(base64)})`);
      await page.getByText("Sandwich").click();
      const row = page.locator("tr").filter({ hasText: "deflateInit2_" });
      await row.waitFor();
      expect(await row.textContent()).toContain(weight);
      expect(await page.locator("tr").filter({ hasText: "thread V8Worker, no JavaScript" }).count()).toBe(1);
    });
  });
});

describe("Chrome DevTools", () => {
  test("shows the heap profile in its Memory panel", async () => {
    const file = transformed("heapprofile", "app.heapprofile");
    await opened(DEVTOOLS, async (page) => {
      const chooser = page.waitForEvent("filechooser");
      await page.getByRole("button", { name: "Load profile" }).last().click();
      await (await chooser).setFiles(file);
      await page.getByRole("treeitem", { name: /^app/ }).click();
      const row = page.locator("tr").filter({ hasText: "deflateInit2_" });
      await row.waitFor();
      expect(await row.textContent()).toMatch(/^5\.0\skB31\.85\s%.*deflateInit2_/);
    });
  });
});
