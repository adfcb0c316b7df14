import { readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { FileReader } from "../../src/analysis/file-reader.js";
import { node, root } from "../support/heapray.js";

const FOLDER = path.join(root, "examples/photo-catalog/src") + path.sep;

test("npm run demo: the flame graph names the .ts lines that hold at least 80% of the peak", () => {
  rmSync(path.join(root, "demo-out"), { recursive: true, force: true });
  const { status, stdout, stderr } = node(["scripts/demo.mjs"], { cwd: root });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });

  // The program did its work.
  expect(stdout).toContain("32 photos\n32 thumbnails, 162 MB of pictures cached\n");
  // The top five lines, the first of them the decoders'.
  expect(stdout).toMatch(/ line\n(?: +(?:[\d.]+[kM]?B +[\d.]+% +){2}.*\n){5}/);
  expect(stdout).toMatch(/ line\n.*examples\/photo-catalog\/src\/decode\.ts:(7|11) /);
  expect(Number(/^([\d.]+)% of the peak has a \.ts line/m.exec(stdout)?.[1])).toBeGreaterThanOrEqual(80);
  const page = /^Flame graph: (.*)$/m.exec(stdout)?.[1] ?? "";
  expect(readFileSync(page, "utf8")).toMatch(/^<!doctype html>/i);

  // The same, counted here.
  const reader = new FileReader(path.join(root, "demo-out/photo-catalog.bin"));
  const bytes = { all: 0, named: 0, pixels: 0, thumbnails: 0 };
  for (const record of reader.getHighWatermarkAllocationRecords()) {
    const stack = record.stackTrace();
    const frames = stack.filter(({ file }) => file.startsWith(FOLDER) && file.endsWith(".ts"));
    bytes.all += record.size;
    if (frames.length > 0) bytes.named += record.size;
    if (frames.some(({ file, line }) => file === `${FOLDER}decode.ts` && (line === 7 || line === 11))) {
      bytes.pixels += record.size;
    }
    const asked = frames.some(({ file, line }) => file === `${FOLDER}thumbnail.ts` && line === 7);
    if (asked && stack.some(({ file }) => file === "<async>")) bytes.thumbnails += record.size;
  }
  expect(bytes.all).toBe(reader.metadata.peakMemory);
  // The rest of RSS, which nothing explains, is less than a twentieth.
  const resident = reader.getResidentMemory();
  expect(resident?.rss).toBeGreaterThan(200e6);
  expect(resident?.rest).toBeLessThan((resident?.rss ?? 0) * 0.05);
  reader.close();
  expect(bytes.named / bytes.all).toBeGreaterThanOrEqual(0.8);
  // The cache's 160 MiB of pixels are there, less what the last pictures did not fill.
  expect(bytes.pixels).toBeGreaterThan(150e6);
  // What libvips made on pool threads, at the line that asked for it: 32 thumbnails of 320 by 229 pixels.
  expect(bytes.thumbnails).toBeGreaterThan(32 * 320 * 228 * 4);
}, 120_000);
