// The flame graph page: how large it is, and how soon after loading it can be used.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { bundled } from "../bundled.mjs";
import { quantile } from "../paired.mjs";
import { count } from "../table.mjs";

const FRAMES = 100_000;
const MOST_BYTES = 400_000;
const MOST_BYTES_A_FRAME = 10;
const CHROMIUM = process.env.CHROMIUM_PATH ?? "/usr/bin/chromium";

/** @type {import("../benchmarks.mjs").Benchmark} */
export const page = {
  title: "bytes of the flame graph page, the time until it can be used, and of its frames while zooming",
  parts: ["frames"],
  async run({ settings, results, progress }) {
    const caption = `Page: a flame graph of ${count(FRAMES)} frames`;
    if (!existsSync(CHROMIUM)) {
      const notes = ["Chromium is not installed (or not in CHROMIUM_PATH), and the page left out."];
      results.add({ caption, columns: [], rows: [], notes }, undefined);
      return;
    }
    progress.start("page");
    const rounds = settings.short ? 1 : 15;
    const figures = await bundled("page/page-figures.ts");
    const args = [figures, String(FRAMES), String(rounds)];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8", timeout: 300_000 });
    if (status !== 0) throw new Error(`the page could not be measured:\n${stderr}`);
    progress.stop();
    /** @type {{ frames: number, htmlBytes: number, templateBytes: number, interactiveMs: number[], loadedMs: number[], frameWorkMs: number[], frameIntervalMs: number[] }} */
    const page = JSON.parse(stdout);
    const budget = MOST_BYTES + MOST_BYTES_A_FRAME * page.frames;
    const milliseconds = (/** @type {number[]} */ times) =>
      `${quantile(times, 0.5).toFixed(0)} (${quantile(times, 0.25).toFixed(0)}-${quantile(times, 0.75).toFixed(0)})`;
    const ms = (/** @type {number[]} */ times, /** @type {number} */ share) => quantile(times, share).toFixed(1);
    const aFrame = (page.htmlBytes - page.templateBytes) / page.frames;
    results.add(
      {
        caption,
        columns: ["", "", "goal"],
        rows: [
          ["frames", count(page.frames), ""],
          ["bytes of HTML", count(page.htmlBytes), `<= ${count(budget)}`],
          ["of these without any frames", count(page.templateBytes), `<= ${count(MOST_BYTES)}`],
          ["bytes a frame", aFrame.toFixed(2), `<= ${MOST_BYTES_A_FRAME}`],
          [
            `ms from the start of loading until it can be used (${rounds} rounds)`,
            milliseconds(page.interactiveMs),
            "<= 1,000",
          ],
          ["ms until it is loaded", milliseconds(page.loadedMs), ""],
          [
            `ms of work a frame while zooming, median (${count(page.frameWorkMs.length)} frames)`,
            ms(page.frameWorkMs, 0.5),
            "",
          ],
          ["99 of 100 frames", ms(page.frameWorkMs, 0.99), "<= 16"],
          ["ms from frame to frame, median", ms(page.frameIntervalMs, 0.5), "<= 16.7"],
        ],
      },
      page,
    );
  },
};
