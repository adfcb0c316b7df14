// What tracking costs an allocation-heavy loop, as tracked/untracked in paired runs.
//   node bench/bench.mjs [--pairs <n>] [--node <binary>]
// Each program is run in both file formats, with native frames, and with JavaScript objects.
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { pairedRuns } from "./paired.mjs";

const root = path.resolve(fileURLToPath(import.meta.url), "../..");
const { values } = parseArgs({
  options: { pairs: { type: "string", default: "15" }, node: { type: "string", default: process.execPath } },
});
const programs = { "200k Buffer.allocUnsafeSlow(200), 20 calls deep": "bench/programs/allocation-loop.cjs" };

const formats = {
  "every allocation": [],
  aggregated: ["--aggregate"],
  "native frames": ["--native"],
  "JavaScript objects": ["--trace-js-heap"],
};

const folder = mkdtempSync(path.join(tmpdir(), "heapray-bench-"));
try {
  for (const [title, program] of Object.entries(programs)) {
    const script = path.join(root, program);
    const capture = path.join(folder, "capture.bin");
    const heapray = [path.join(root, "bin/heapray.js"), "run", "-q", "-f", "--no-compress", "-o", capture];
    for (const [format, flags] of Object.entries(formats)) {
      const tracked = [values.node, ...heapray, ...flags, script];
      const { work, wall } = pairedRuns([values.node, script], /** @type {[string]} */ (tracked), Number(values.pairs));
      if (!existsSync(capture)) throw new Error("nothing was tracked: there is no capture");
      console.log(`${title}, ${format} (${values.pairs} pairs)`);
      print("loop", work);
      print("process", wall);
      rmSync(capture);
    }
  }
} finally {
  rmSync(folder, { recursive: true });
}

/**
 * @param {string} what
 * @param {import("./paired.mjs").Ratio} ratio
 */
function print(what, { median, low, high, a, b }) {
  const spread = `${low.toFixed(2)}-${high.toFixed(2)}`;
  console.log(
    `  ${what.padEnd(8)} tracked/untracked ${median.toFixed(2)} (half of the pairs within ${spread}); ` +
      `${a.toFixed(0)} ms -> ${b.toFixed(0)} ms`,
  );
}
