import { readFileSync } from "node:fs";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compressCaptureSync } from "../../src/tracker/compress-capture.js";
import { aggregatedFormatCapture, formatCapture } from "../support/format-capture.js";
import { type Folder, heapray, temporaryFolder } from "../support/heapray.js";
import { lz4Frame } from "../support/lz4.js";
import { memrayAggregatedCapture, memrayCapture } from "../support/memray-capture.js";
import { numberedForm } from "../support/numbered-form.js";
import { pythonCapture } from "../support/python-capture.js";
import { REPORT_NAMES, refusal } from "./every-report.js";

/** What a capture that is at most 2 MB may take, more than the reports of a whole one. */
const MOST_MS = 5000;
const MOST_RSS_BYTES = 300e6;

/** One thing that goes wrong with a file; places are shares of its length. */
type Damage =
  | { readonly do: "set"; readonly at: number; readonly value: number }
  | { readonly do: "cut"; readonly at: number }
  | { readonly do: "remove" | "repeat"; readonly at: number; readonly bytes: number }
  | { readonly do: "insert"; readonly at: number; readonly noise: Uint8Array };

const at = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
const damage: fc.Arbitrary<Damage> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant("set" as const), at, value: fc.integer({ min: 0, max: 255 }) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("cut" as const), at }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom("remove" as const, "repeat" as const), at, bytes: fc.nat(60) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("insert" as const), at, noise: fc.uint8Array({ maxLength: 20 }) }),
  },
);

function damaged(bytes: Uint8Array, damages: readonly Damage[]): Uint8Array {
  let result = Buffer.from(bytes);
  for (const each of damages) {
    const place = Math.floor(each.at * result.length);
    const [before, after] = [result.subarray(0, place), result.subarray(place)];
    if (each.do === "set" && place < result.length) result[place] = each.value;
    else if (each.do === "cut") result = Buffer.from(before);
    else if (each.do === "remove") result = Buffer.concat([before, after.subarray(each.bytes)]);
    else if (each.do === "repeat") result = Buffer.concat([before, after.subarray(0, each.bytes), after]);
    else if (each.do === "insert") result = Buffer.concat([before, each.noise, after]);
  }
  return new Uint8Array(result);
}

/** Every report of the capture ends, or refuses it in one sentence; how many did each. */
function checkEveryReport(bytes: Uint8Array, counts: { made: number; refused: number }): void {
  for (const report of REPORT_NAMES) {
    const started = performance.now();
    const sentence = refusal(report, bytes);
    expect(performance.now() - started, report).toBeLessThan(MOST_MS);
    if (sentence === undefined) {
      counts.made++;
    } else {
      counts.refused++;
      expect(sentence).toMatch(/^test\.bin [^\n]+\.$/);
    }
  }
}

let folder: Folder;
beforeAll(() => {
  folder = temporaryFolder();
});
afterAll(() => folder.remove());

function compressed(bytes: Uint8Array): Uint8Array {
  const file = folder.write("compressed.bin", bytes);
  compressCaptureSync(file);
  return new Uint8Array(readFileSync(file));
}

/** A capture of a real program, with native frames and objects where every allocation is kept. */
function recorded(...flags: string[]): Uint8Array {
  const code =
    "const kept = []; for (let i = 0; i < 300; i++) kept.push(Buffer.alloc(9000), { i }, require('zlib').gzipSync('a' + i))";
  const { status } = heapray(["run", "-q", "-f", "-o", "real.bin", ...flags, "-e", code], { cwd: folder.path });
  expect(status).toBe(0);
  return new Uint8Array(readFileSync(folder.join("real.bin")));
}

describe.each<[string, number, () => Uint8Array]>([
  ["a small capture", 400, formatCapture],
  ["a small capture with numbered blocks", 200, () => numberedForm(formatCapture())],
  ["a small compressed capture", 200, () => compressed(formatCapture())],
  ["a small aggregated capture", 200, aggregatedFormatCapture],
  ["a small capture of a Python program", 200, () => pythonCapture({ pymalloc: true }).finish()],
  ["a small capture of memray", 400, memrayCapture],
  ["a small capture of memray, compressed", 200, () => lz4Frame(memrayCapture())],
  ["a small aggregated capture of memray", 200, memrayAggregatedCapture],
  ["a program's capture", 25, () => recorded("--no-compress", "--native", "--embed-symbols", "--trace-js-heap")],
  ["a program's compressed capture", 25, () => recorded("--native")],
  ["a program's aggregated capture", 20, () => recorded("--aggregate", "--no-compress")],
])("%s", (name, numRuns, make) => {
  it("that is damaged anywhere makes a report or one sentence, in bounded time and memory", () => {
    const bytes = make();
    const whole = { made: 0, refused: 0 };
    checkEveryReport(bytes, whole);
    // Statistics, and whatever has to do with time, are not made of sums.
    expect(whole.refused).toBe(name.includes("aggregated") ? 5 : 0);
    const rss = process.resourceUsage().maxRSS * 1024;
    const counts = { made: 0, refused: 0 };
    fc.assert(
      fc.property(fc.array(damage, { minLength: 1, maxLength: 3 }), (damages) =>
        checkEveryReport(damaged(bytes, damages), counts),
      ),
      { numRuns },
    );
    // It was damaged.
    expect(counts.refused).toBeGreaterThan(0);
    expect(process.resourceUsage().maxRSS * 1024 - rss).toBeLessThan(MOST_RSS_BYTES);
  });
});
