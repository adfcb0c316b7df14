// Makes the documents' pictures of heapray's own pages (docs/pictures) anew: `npm run pictures`, after `npm run demo`.
// Needs Chromium, at /usr/bin/chromium or where CHROMIUM_PATH says.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import sharp from "sharp";

const root = path.resolve(fileURLToPath(import.meta.url), "../..");
const capture = path.join(root, "demo-out/photo-catalog.bin");
if (!existsSync(capture)) {
  console.error(`There is no ${path.relative(root, capture)}; make it with npm run demo.`);
  process.exit(1);
}

const LIVE_PORT = 45_678;
/** How long the program has run when its picture is made, milliseconds. */
const RUNNING_MS = 4000;
const folder = mkdtempSync(path.join(tmpdir(), "heapray-pictures-"));
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM_PATH ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu"],
});
try {
  await picture("flamegraph-light", "light", report("flamegraph"));
  await picture("flamegraph-dark", "dark", report("flamegraph"));
  await picture("flamegraph-inverted", "light", report("flamegraph", "--inverted"));
  await picture("table", "light", report("table"));
  await livePicture("live-page", "light");
} finally {
  await browser.close();
  rmSync(folder, { recursive: true, force: true });
}

/**
 * @param {string[]} command a report's name and options
 * @returns {string} its page's address
 */
function report(...command) {
  const page = path.join(folder, "report.html");
  const args = [path.join(root, "bin/heapray.js"), ...command, "-f", "-o", page, capture];
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: ["ignore", "ignore", "inherit"] });
  if (status !== 0) throw new Error(`heapray ${command.join(" ")} failed`);
  return pathToFileURL(page).href;
}

/**
 * The live page of the demo's program, some seconds after it began.
 * @param {string} name the picture's
 * @param {"light" | "dark"} colorScheme
 */
async function livePicture(name, colorScheme) {
  const heapray = path.join(root, "bin/heapray.js");
  const main = "examples/photo-catalog/dist/main.js";
  const args = [heapray, "run", "-q", "--live-remote", "--live-port", String(LIVE_PORT), main];
  const program = spawn(process.execPath, args, { cwd: root, stdio: "ignore" });
  const live = spawn(process.execPath, [heapray, "live", String(LIVE_PORT), "--web"], {
    cwd: root,
    stdio: ["ignore", "pipe", "ignore"],
  });
  try {
    const [said] = await once(live.stdout.setEncoding("utf8"), "data");
    await setTimeout(RUNNING_MS);
    await picture(name, colorScheme, said.slice(0, said.indexOf("\n")));
  } finally {
    live.kill("SIGINT");
    program.kill();
  }
}

/**
 * @param {string} name the picture's
 * @param {"light" | "dark"} colorScheme
 * @param {string} url of the page
 */
async function picture(name, colorScheme, url) {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 720 },
    reducedMotion: "reduce",
    colorScheme,
  });
  const page = await context.newPage();
  await page.goto(url);
  await page.locator(".scroller canvas, #table").first().waitFor();
  await page.waitForTimeout(500);
  const target = path.join(root, `docs/pictures/${name}.png`);
  const { size } = await sharp(await page.screenshot())
    .png({ palette: true, effort: 10 })
    .toFile(target);
  await context.close();
  console.log(`${path.relative(root, target)}  ${(size / 1000).toFixed(0)} kB`);
}
