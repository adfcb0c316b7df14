// How fast captures are read, and in how much memory a large one becomes a flame graph.
import { spawnSync } from "node:child_process";
import { statSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { bundled } from "../bundled.mjs";
import { programs } from "../recording/programs.mjs";
import { captureIn, wayNamed } from "../recording/ways.mjs";
import { root } from "../root.mjs";
import { count } from "../table.mjs";
import { timedRun } from "../timed-run.mjs";

/** @typedef {import("../benchmarks.mjs").Context} Context */

/**
 * @typedef {object} Throughput as bench/reading/read-throughput.ts prints it
 * @property {string} name
 * @property {number} records
 * @property {number} bytes
 * @property {Record<string, number>} recordsPerSecond by pass
 * @property {Record<string, number>} ratios to the bare pass
 */

const SHAPE = ["--live", "100k", "--stacks", "10k", "--threads", "4", "--depth", "20"];
const PEAK_MEMORY = fileURLToPath(new URL("peak-memory.cjs", import.meta.url));

/**
 * The passes by the names that the reader gives them; goals in million records a second.
 * @type {Record<string, { title: string, goal?: number }>}
 */
const passes = {
  bare: { title: "a bare pass over the bytes" },
  decode: { title: "decoding" },
  highWaterMark: { title: "with the high-water mark", goal: 10 },
  onePass: { title: "with all analyses in one pass", goal: 5 },
};

/** @type {import("../benchmarks.mjs").Benchmark} */
export const reading = {
  title: "records a second, and the memory of a report on a large capture",
  parts: ["throughput", "memory"],
  async run(context) {
    for (const part of context.parts) {
      if (part === "throughput") await throughput(context);
      else await memory(context);
    }
  },
};

/** @param {Context} context */
async function throughput({ settings, folder, results, progress }) {
  const reader = await bundled("reading/read-throughput.ts");
  const synthetic = ["--records", settings.short ? "1M" : "10M"];
  const captures = [synthetic, ...(settings.short ? [] : [[tscCapture(settings, folder)]])];
  for (const capture of captures) {
    progress.start("reading: throughput");
    const rounds = ["--rounds", settings.short ? "3" : "7"];
    /** @type {Throughput} */
    const read = JSON.parse(output(settings.node, [reader, "--json", ...rounds, ...capture]));
    progress.stop();
    results.add(
      {
        caption: `Reading: ${read.name}, ${count(read.records)} records, ${count(read.bytes)} bytes`,
        columns: ["", "M records/s", "goal", "time, of a bare pass"],
        rows: Object.entries(read.recordsPerSecond).map(([pass, rate]) => [
          passes[pass]?.title ?? pass,
          (rate / 1e6).toFixed(1),
          passes[pass]?.goal === undefined ? "" : `>= ${passes[pass].goal}`,
          (read.ratios[pass] ?? Number.NaN).toFixed(1),
        ]),
      },
      read,
    );
  }
}

/** @param {Context} context */
async function memory({ settings, folder, results, progress }) {
  const records = settings.short ? "5M" : "100M";
  const capture = path.join(folder, "large.bin");
  progress.start(`reading: a flame graph of ${records} records`);
  const writer = await bundled("reading/make-capture.ts");
  output(settings.node, [writer, "--records", records, ...SHAPE, capture]);
  const cli = [path.join(root, "bin/heapray.js"), "flamegraph", "-f", "-o", path.join(folder, "large.html"), capture];
  const { wallMs, printed } = timedRun([settings.node, "--require", PEAK_MEMORY, ...cli]);
  progress.stop();
  const megabytes = (printed.maxRssKiB ?? Number.NaN) / 1024;
  const { size } = statSync(capture);
  results.add(
    {
      caption: `Reading: \`heapray flamegraph\` of a capture of ${records} records`,
      columns: ["", "", "goal"],
      rows: [
        ["shape", SHAPE.join(" ").replaceAll("--", ""), ""],
        ["bytes of the capture", count(size), ""],
        ["seconds", (wallMs / 1000).toFixed(1), ""],
        ["peak memory, MB", megabytes.toFixed(0), "<= 300"],
      ],
    },
    { records, bytes: size, wallMs, maxRssKiB: printed.maxRssKiB },
  );
}

/**
 * @param {import("../command-line.mjs").Settings} settings
 * @param {string} folder
 * @returns {string} the file
 */
function tscCapture({ node }, folder) {
  const [binary, ...args] = wayNamed("tracked").command(node, folder);
  output(binary, [...args, ...(programs.tsc?.script ?? [])]);
  return captureIn(folder);
}

/**
 * @param {string} binary
 * @param {readonly string[]} args
 * @returns {string} standard output
 */
function output(binary, args) {
  const { status, stdout, stderr, error } = spawnSync(binary, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${binary} ${args.join(" ")}: ${error ?? status}\n${stderr}`);
  return stdout;
}
