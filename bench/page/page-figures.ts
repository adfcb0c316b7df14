/**
 * The flame graph page of a synthetic capture in Chromium: its size, how soon it can be used, and how long its frames take
 * while it is zoomed. Prints JSON.
 * Arguments: frames, rounds.
 */
import { flameGraphData } from "../../src/reporters/flamegraph.js";
import { flameGraphHtml, readTemplate } from "../../src/reporters/flamegraph-page.js";
import { launchChromium, openReport } from "../../test/ui/browser.js";
import { takeFrameTimes, timeFrames, zoomAround } from "../../test/ui/frame-times.js";
import { distinctFrames, syntheticCapture } from "../../test/ui/synthetic.js";

const [frames = 100_000, rounds = 5] = process.argv.slice(2).map(Number);
const data = flameGraphData({ ...syntheticCapture(frames), kind: "high-water-mark" });
const template = readTemplate();
const html = flameGraphHtml(data, "bench", template);

/** Milliseconds since the navigation began. */
const interactiveMs: number[] = [];
const loadedMs: number[] = [];
/** Milliseconds of each frame: the page's own work, and from one frame to the next. */
const frameWorkMs: number[] = [];
const frameIntervalMs: number[] = [];
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
  const report = await openReport(browser, flameGraphHtml(distinctFrames(data), "bench", template), {
    viewport: { width: 1400, height: 900 },
    reducedMotion: "no-preference",
  });
  await report.page.locator(".scroller canvas").waitFor();
  await timeFrames(report.page);
  await zoomAround(report.page);
  const times = await takeFrameTimes(report.page);
  frameWorkMs.push(...times.work);
  frameIntervalMs.push(...times.intervals);
  await report.close();
} finally {
  await browser.close();
}
const htmlBytes = Buffer.byteLength(html);
const templateBytes = Buffer.byteLength(template);
console.log(
  JSON.stringify({
    frames: data.nodes.parent.length - 1,
    htmlBytes,
    templateBytes,
    interactiveMs,
    loadedMs,
    frameWorkMs,
    frameIntervalMs,
  }),
);
