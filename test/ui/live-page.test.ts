import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type IncomingHttpHeaders, request } from "node:http";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { cliPath, type Folder, root, temporaryFolder } from "../support/heapray.js";
import { freePort, Running, until } from "../support/running.js";
import { launchChromium } from "./browser.js";

const TOLD = path.join(root, "test/tracking/programs/told.cjs");
const SIZE = 100_003;
const HOLD_LINE =
  1 +
  readFileSync(TOLD, "utf8")
    .split("\n")
    .findIndex((line) => line.includes("@hold"));

let browser: Browser;
let folder: Folder;
let target: Running;
let live: Running;
let url: string;
let complaints: string[];
const closing: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser?.close());
beforeEach(async () => {
  folder = temporaryFolder();
  const port = String(await freePort());
  target = new Running(
    process.execPath,
    [cliPath, "run", "--quiet", "--live-remote", "--live-port", port, TOLD],
    folder.path,
  );
  live = new Running(process.execPath, [cliPath, "live", port, "--web"], folder.path);
  await live.says(/http:\S+\n/u);
  [url = ""] = /http:\S+/u.exec(live.stdout) ?? [];
  await target.says(/pid \d+\n/u);
  complaints = [];
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
  for (const one of [live, target]) {
    one.kill("SIGKILL");
    await one.ended;
  }
  folder.remove();
  expect(complaints).toEqual([]);
});

async function open(options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 720 },
    reducedMotion: "reduce",
    ...options,
  });
  closing.push(() => context.close());
  const page = await context.newPage();
  page.on("console", (message) => {
    // What the browser says of a connection that the test has cut.
    if (message.text().includes("net::ERR_")) return;
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (asked) => {
    const where = asked.url();
    if (!/^(?:data|blob):/u.test(where) && !where.startsWith(url)) complaints.push(`request: ${where}`);
  });
  await page.goto(url);
  await page.locator(".scroller canvas").first().waitFor();
  return page;
}

const eventually = <T>(read: () => Promise<T>) => expect.poll(read, { timeout: 15_000, interval: 50 });
const status = (page: Page): Promise<string | null> => page.locator(".live-status").textContent();
const current = (page: Page): Promise<string[]> => page.locator(".ancestors [aria-current] bdi").allTextContents();
const line = (page: Page) => page.locator(".line", { hasText: `told.cjs:${HOLD_LINE}` });
/** What the lines panel says that the program's line holds; MiB. */
const heldByLine = async (page: Page): Promise<number> => {
  const [text = "0"] = await line(page).locator(".line-amount").allTextContents();
  return text.endsWith("MiB") ? Number.parseFloat(text) : Number.parseFloat(text) / 1024;
};
const MIB = (holds: number) => (holds * 10 * SIZE) / 2 ** 20;

async function hold(): Promise<void> {
  target.tell("hold");
}

test("the page shows what the program holds, while it grows and when it is freed", async () => {
  const page = await open();
  expect(await page.title()).toBe("told.cjs · live · heapray");
  expect(await page.locator("h1").textContent()).toContain("told.cjs");
  expect(await status(page)).toBe("Live: what is held now");
  expect(await heldByLine(page)).toBe(0);
  await hold();
  await eventually(() => heldByLine(page)).toBeCloseTo(MIB(1), 2);
  await hold();
  await eventually(() => heldByLine(page)).toBeCloseTo(MIB(2), 2);
  target.tell("free");
  await eventually(() => line(page).count()).toBe(0);

  const facts = await page.locator(".facts.live dt").allTextContents();
  expect(facts).toEqual(["Now", "Peak", "RSS", "Allocations/s", "Running", "PID"]);
  const figure = (name: string) => page.locator(".facts.live div", { hasText: name }).locator("dd").textContent();
  expect(`pid ${await figure("PID")}\n`).toBe(target.stdout.slice(0, target.stdout.indexOf("\n") + 1));
  const running = Number.parseFloat((await figure("Running")) ?? "");
  await eventually(async () => Number.parseFloat((await figure("Running")) ?? "")).toBeGreaterThan(running);
  target.tell("some");
  await eventually(async () => Number((await figure("Allocations/s"))?.replaceAll(",", ""))).toBeGreaterThan(10_000);
});

test("zoom, selection, search, free zoom and the tooltip stay through updates", async () => {
  const page = await open();
  await hold();
  await eventually(() => line(page).count()).toBe(1);
  await line(page).click();
  expect(await current(page)).toEqual(["hold"]);
  const search = page.locator("#search");
  expect(await search.inputValue()).toContain(`told.cjs:${HOLD_LINE}`);
  const found = page.locator("#search-result b");
  const before = await found.textContent();
  const canvas = await page.locator(".scroller canvas").boundingBox();
  if (!canvas) throw new Error("no graph");
  // On the zoomed frame, which is as wide as the graph.
  const depth = (await page.locator(".ancestors li").count()) - 1;
  const scrolled = await page.locator(".scroller").evaluate((scroller) => scroller.scrollTop);
  await page.mouse.move(canvas.x + canvas.width / 2, canvas.y + (depth + 0.5) * 21 - scrolled);
  const total = page.locator(".tooltip .tip-total td").first();
  await eventually(() => page.locator(".tooltip strong").textContent()).toBe("hold");
  const told = await total.textContent();

  await hold();
  await eventually(() => found.textContent()).not.toBe(before);
  expect(await current(page)).toEqual(["hold"]);
  expect(await search.inputValue()).toContain("told.cjs");
  expect(await page.locator(".tooltip strong").textContent()).toBe("hold");
  await eventually(() => total.textContent()).not.toBe(told);

  // What was zoomed to is gone for a while: the page shows what called it, and comes back to it.
  target.tell("free");
  await eventually(() => current(page)).not.toEqual(["hold"]);
  await hold();
  await eventually(() => current(page)).toEqual(["hold"]);
});

test("a paused page stands still until it goes on", async () => {
  const page = await open();
  await hold();
  await eventually(() => heldByLine(page)).toBeCloseTo(MIB(1), 2);
  await page.keyboard.press("p");
  await eventually(() => status(page)).toMatch(/^Paused at /u);
  const facts = await page.locator(".facts").textContent();
  await hold();
  await sleep(1500);
  expect(await heldByLine(page)).toBeCloseTo(MIB(1), 2);
  expect(await page.locator(".facts").textContent()).toBe(facts);
  await page.locator("#pause").click();
  await eventually(() => heldByLine(page)).toBeCloseTo(MIB(2), 2);
});

test("what is held is saved as a report of its own", async () => {
  const page = await open();
  await hold();
  await eventually(() => heldByLine(page)).toBeCloseTo(MIB(1), 2);
  const downloading = page.waitForEvent("download");
  await page.locator("#save").click();
  const download = await downloading;
  const pid = /pid (\d+)/u.exec(target.stdout)?.[1];
  expect(download.suggestedFilename()).toBe(`heapray-flamegraph-told.cjs.${pid}.html`);
  const saved = path.join(folder.path, "saved.html");
  await download.saveAs(saved);
  const context = await browser.newContext();
  closing.push(() => context.close());
  const report = await context.newPage();
  await report.goto(`file://${saved}`);
  await report.locator(".scroller canvas").first().waitFor();
  expect(await report.locator(".facts dt").first().textContent()).toBe("Held");
  expect(await heldByLine(report)).toBeCloseTo(MIB(1), 2);
});

describe("at the end", () => {
  test.each([
    ["ends", () => target.tell("end"), "Remote has disconnected: the program ended."],
    [
      "is killed",
      () => process.kill(Number(/pid (\d+)/u.exec(target.stdout)?.[1]), "SIGKILL"),
      "Remote has disconnected: the program was killed.",
    ],
  ])("of a program that %s, the page says so and stays", async (_how, end, sentence) => {
    const page = await open();
    await hold();
    await eventually(() => heldByLine(page)).toBeCloseTo(MIB(1), 2);
    end();
    await eventually(() => status(page)).toBe(sentence);
    await line(page).click();
    expect(await current(page)).toEqual(["hold"]);
    // A tab that comes later sees the same.
    const later = await open();
    expect(await status(later)).toBe(sentence);
    expect(await heldByLine(later)).toBeCloseTo(MIB(1), 2);
  });

  test("of heapray, the page says so, and the program goes on", async () => {
    const page = await open();
    await hold();
    await eventually(() => heldByLine(page)).toBeCloseTo(MIB(1), 2);
    live.kill("SIGINT");
    expect(await live.ended).toMatchObject({ status: 0 });
    await eventually(() => status(page)).toMatch(/^heapray does not answer/u);
    expect(await heldByLine(page)).toBeCloseTo(MIB(1), 2);
    target.tell("hold");
    await target.says(/hold done\n.*hold done\n/su);
  });
});

test("several tabs are told the same, each with its own choices", async () => {
  const [first, second] = await Promise.all([open(), open({ colorScheme: "dark" })]);
  await hold();
  for (const page of [first, second]) await eventually(() => heldByLine(page)).toBeCloseTo(MIB(1), 2);
  await line(first).click();
  await second.keyboard.press("p");
  await hold();
  await eventually(() => heldByLine(first)).toBeCloseTo(MIB(2), 2);
  expect(await heldByLine(second)).toBeCloseTo(MIB(1), 2);
  expect([await current(first), await current(second)]).toEqual([["hold"], ["all memory"]]);
});

describe("whoever is not the page", () => {
  async function ask(
    where: string,
    headers: Record<string, string> = {},
    method = "GET",
  ): Promise<{ status: number; body: string; headers: IncomingHttpHeaders }> {
    const { hostname, port } = new URL(url);
    const asked = request({ hostname, port, path: where, method, headers, agent: false, timeout: 10_000 });
    asked.end();
    const [response] = (await once(asked, "response")) as [import("node:http").IncomingMessage];
    let body = "";
    if (response.headers["content-type"]?.startsWith("text/event-stream")) response.destroy();
    else for await (const piece of response) body += String(piece);
    return { status: response.statusCode ?? 0, body, headers: response.headers };
  }
  const place = () => new URL(url).pathname;
  const port = () => new URL(url).port;

  test("is refused without the token, from another site, and under another name, and told nothing", async () => {
    const { pathname } = new URL(url);
    const token = pathname.slice(1, -1);
    expect(Buffer.from(token, "base64url").length).toBeGreaterThanOrEqual(16);
    const wrong = `${token.slice(0, -2)}${token.endsWith("AA") ? "BB" : "AA"}`;
    const refused: [string, Record<string, string>?, string?][] = [
      ["/"],
      ["/favicon.ico"],
      ["/graph"],
      ["/events"],
      [`/${wrong}/`],
      [`/${wrong}/graph`],
      [`/${token}x/graph`],
      [`/x/${token}/graph`],
      [`http://127.0.0.1:${port()}${pathname}graph`],
      [pathname, { host: "evil.example" }],
      [pathname, { host: `evil.example:${port()}` }],
      [pathname, { host: "127.0.0.1" }],
      [pathname, { host: `127.0.0.1.evil.example:${port()}` }],
      [pathname, { origin: "http://evil.example" }],
      [pathname, { origin: "http://evil.example" }, "POST"],
    ];
    for (const what of ["graph", "events", "flamegraph"]) {
      refused.push(
        [`${pathname}${what}`, { host: `evil.example:${port()}` }],
        [`${pathname}${what}`, { origin: "http://evil.example" }],
        [`${pathname}${what}`, { origin: "null" }],
        [`${pathname}${what}`, { origin: `http://127.0.0.1:${Number(port()) + 1}` }],
        [`${pathname}${what}`, { origin: `https://127.0.0.1:${port()}` }],
        [`${pathname}${what}`, { "sec-fetch-site": "cross-site" }],
        [`${pathname}${what}`, { "sec-fetch-site": "same-site" }],
        [`${pathname}${what}`, { "sec-fetch-site": "none" }],
      );
    }
    for (const [where, headers, method] of refused) {
      const answer = await ask(where, headers, method);
      expect([where, headers, answer.status, answer.body]).toEqual([where, headers, 403, "Forbidden\n"]);
      expect(Object.keys(answer.headers).filter((name) => name.startsWith("access-control"))).toEqual([]);
    }
  });

  test("is served by either name, and what is served is kept nowhere and framed nowhere", async () => {
    for (const host of [`127.0.0.1:${port()}`, `localhost:${port()}`, `LOCALHOST:${port()}`]) {
      const page = await ask(place(), { host, "sec-fetch-site": "none" });
      expect(page.status).toBe(200);
      expect(page.body).toContain('<div id="app">');
      expect(page.headers).toMatchObject({
        "cache-control": "no-store",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "cross-origin-resource-policy": "same-origin",
      });
      expect(page.headers["content-security-policy"]).toMatch(
        /^default-src 'none'; script-src 'sha256-[^']+'; connect-src 'self';.*frame-ancestors 'none'$/u,
      );
      expect(page.headers["access-control-allow-origin"]).toBeUndefined();
      for (const what of ["graph", "events", "flamegraph"]) {
        const headers = { host, origin: `http://${host}`, "sec-fetch-site": "same-origin" };
        const answer = await ask(`${place()}${what}`, headers);
        expect([what, answer.status]).toEqual([what, 200]);
        expect(answer.headers["cache-control"]).toBe("no-store");
        expect(answer.headers["access-control-allow-origin"]).toBeUndefined();
      }
    }
    expect((await ask(place(), {}, "POST")).status).toBe(405);
    expect((await ask(place().slice(0, -1))).headers.location).toBe(url);
    expect((await ask(`${place()}else`)).status).toBe(404);
  });

  test("cannot read it from another site in the same browser", async () => {
    const context = await browser.newContext();
    closing.push(() => context.close());
    const page = await context.newPage();
    await page.route("http://evil.example/", (route) =>
      route.fulfill({ body: "<p>evil</p>", contentType: "text/html" }),
    );
    await page.goto("http://evil.example/");
    const outcomes = await page.evaluate(async (where) => {
      const fetched = (mode: RequestMode) =>
        fetch(`${where}graph`, { mode }).then(
          async (response) => `${response.type} ${response.status} ${(await response.arrayBuffer()).byteLength}`,
          () => "refused",
        );
      const streamed = new Promise<string>((resolve) => {
        const events = new EventSource(`${where}events`);
        events.onmessage = () => resolve("told");
        events.onerror = () => resolve("refused");
      });
      const framed = new Promise<string>((resolve) => {
        const frame = document.createElement("iframe");
        frame.src = where;
        frame.onload = () => resolve(String(frame.contentWindow?.length === 0 && frame.contentDocument === null));
        document.body.append(frame);
      });
      return [await fetched("cors"), await fetched("no-cors"), await streamed, await framed];
    }, url);
    expect(outcomes).toEqual(["refused", "refused", "refused", "true"]);
  });

  test("may have its port: that is told before the program is connected to", async () => {
    const args = [cliPath, "live", String(await freePort()), "--web-port", port()];
    const { status, stderr } = await new Running(process.execPath, args, folder.path).ended;
    expect([status, stderr]).toEqual([
      1,
      `heapray: the live page cannot be served on port ${port()}: another program uses it; give another --web-port.\n`,
    ]);
  });
});

test("Ctrl-C ends heapray where the program is gone, too", async () => {
  target.tell("end");
  await target.ended;
  await until(() => live.stderr.includes("Remote has disconnected: the program ended."));
  live.kill("SIGINT");
  expect((await live.ended).status).toBe(0);
});
