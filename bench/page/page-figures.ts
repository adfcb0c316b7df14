/**
 * The flame graph page of a synthetic capture in Chromium: its size, and how soon it can be used. Prints JSON.
 * Arguments: frames, rounds.
 */
import { flameGraphData } from "../../src/reporters/flamegraph.js";
import { flameGraphHtml, readTemplate } from "../../src/reporters/flamegraph-page.js";
import { launchChromium, openReport } from "../../test/ui/browser.js";
import { syntheticCapture } from "../../test/ui/synthetic.js";

const [frames = 100_000, rounds = 5] = process.argv.slice(2).map(Number);
const data = flameGraphData({ ...syntheticCapture(frames), kind: "high-water-mark" });
const template = readTemplate();
const html = flameGraphHtml(data, "bench", template);

/** Milliseconds since the navigation began. */
const interactiveMs: number[] = [];
const loadedMs: number[] = [];
const browser = await launchChromium();
try {
  for (let i = 0; i < rounds; i++) {
    const report = await openReport(browser, html);
    await report.page.waitForFunction(() => performance.getEntriesByName("heapray:interactive").length > 0);
    const [interactive, loaded] = await report.page.evaluate(() => [
      performance.getEntriesByName("heapray:interactive")[0]?.startTime ?? Number.NaN,
      (performance.getEntriesByType("navigation")[0] as PerformanceNavigationTiming).loadEventEnd,
    ]);
    interactiveMs.push(interactive as number);
    loadedMs.push(loaded as number);
    await report.close();
    if (report.complaints.length > 0) throw new Error(`the page complains: ${report.complaints.join("; ")}`);
  }
} finally {
  await browser.close();
}
const htmlBytes = Buffer.byteLength(html);
const templateBytes = Buffer.byteLength(template);
console.log(
  JSON.stringify({ frames: data.nodes.parent.length - 1, htmlBytes, templateBytes, interactiveMs, loadedMs }),
);
