import type { Page } from "playwright-core";

/** What the frames of a page took, in milliseconds each. */
export interface FrameTimes {
  /** The page's own work for each frame. */
  readonly work: readonly number[];
  /** From one frame to the next, drawing by the browser included. */
  readonly intervals: readonly number[];
}

interface Recorded {
  heaprayFrames: { work: number[]; starts: number[] };
}

/** Has every animation frame of the page timed from now on. */
export async function timeFrames(page: Page): Promise<void> {
  await page.evaluate(() => {
    const recorded = { work: [] as number[], starts: [] as number[] };
    (globalThis as unknown as Recorded).heaprayFrames = recorded;
    const original = globalThis.requestAnimationFrame.bind(globalThis);
    globalThis.requestAnimationFrame = (callback) =>
      original((now) => {
        const began = performance.now();
        callback(now);
        recorded.work.push(performance.now() - began);
        recorded.starts.push(now);
      });
  });
}

/** What was timed since the last call; pauses of more than 200 ms are no frames. */
export async function takeFrameTimes(page: Page): Promise<FrameTimes> {
  const { work, starts } = await page.evaluate(() => {
    const recorded = (globalThis as unknown as Recorded).heaprayFrames;
    const taken = { work: recorded.work, starts: recorded.starts };
    recorded.work = [];
    recorded.starts = [];
    return taken;
  });
  const intervals = starts.slice(1).map((at, i) => at - (starts[i] as number));
  return { work, intervals: intervals.filter((ms) => ms > 0 && ms < 200) };
}

/** Zooms into the graph by clicks, freely by the wheel, and out again, as one who looks around does. */
export async function zoomAround(page: Page): Promise<void> {
  const box = await page.locator(".scroller canvas").boundingBox();
  if (!box) throw new Error("the graph has no canvas");
  for (let round = 0; round < 6; round++) {
    const x = box.x + box.width * (0.05 + 0.12 * round);
    await page.mouse.click(x, box.y + 21 * (2.5 + round));
    await page.waitForTimeout(400);
    await page.mouse.move(x, box.y + 21 * 4.5);
    await page.keyboard.down("Control");
    for (let i = 0; i < 24; i++) {
      await page.mouse.wheel(0, i < 12 ? -40 : 40);
      await page.waitForTimeout(16);
    }
    await page.keyboard.up("Control");
    await page.keyboard.press("Escape");
    await page.keyboard.press("Escape");
    await page.waitForTimeout(400);
  }
}
