// How large captures are, against a budget, and what their bytes are for.
import { spawnSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { programs } from "../recording/programs.mjs";
import { captureIn, wayNamed } from "../recording/ways.mjs";
import { root } from "../root.mjs";
import { count } from "../table.mjs";
import { account } from "./account.mjs";
import { allowed, compressedBudget, uncompressedBudget } from "./budget.mjs";

/** @typedef {import("../benchmarks.mjs").Context} Context */
/** @typedef {import("./account.mjs").Share} Share */

/** As heapray packs: it is what the shares of a compressed capture are told from. */
const MEMBER_BYTES = 4 * 1024 * 1024;

/** @type {import("../benchmarks.mjs").Benchmark} */
export const size = {
  title: "bytes a record and bytes a stack node of a capture",
  parts: ["loop", "tsc"],
  async run(context) {
    const { compressCaptureSync, COMPRESSION_LEVEL } = await import("../../dist/tracker/compress-capture.js");
    for (const part of context.parts) {
      const capture = record(part, context);
      const bytes = readFileSync(capture);
      if (!compressCaptureSync(capture)) throw new Error(`${capture} could not be compressed.`);
      report(part, bytes, statSync(capture).size, COMPRESSION_LEVEL, context);
    }
  },
};

/**
 * @param {string} part
 * @param {Context} context
 * @returns {string} the capture
 */
function record(part, { settings, folder, progress }) {
  const program = programs[part];
  if (!program) throw new Error(`there is no program ${part}.`);
  progress.start(`size: ${program.title}`);
  const [binary, ...args] = [...wayNamed("tracked").command(settings.node, folder), ...program.script];
  const { status, stderr } = spawnSync(binary ?? "", args, { cwd: root, encoding: "utf8" });
  if (status !== 0) throw new Error(`${part} failed under heapray:\n${stderr}`);
  progress.stop();
  return path.resolve(captureIn(folder));
}

/**
 * @param {string} part
 * @param {Buffer} bytes
 * @param {number} compressed bytes
 * @param {number} level
 * @param {Context} context
 */
function report(part, bytes, compressed, level, { results }) {
  const caption = `Capture size: ${programs[part]?.title}`;
  const shares = account(bytes);
  if (!shares) {
    const notes = [`${count(bytes.length)} bytes, ${count(compressed)} compressed; its format is not known here.`];
    results.add({ caption, columns: [], rows: [], notes }, { uncompressed: bytes.length, compressed });
    return;
  }
  const counts = { records: shares.records.count, nodes: shares.nodes.count };
  const packed = (/** @type {Share} */ share) => packedAlone(share.bytes, level);
  /** @type {[string, Share, number?, number?][]} */
  const kinds = [
    ["records", shares.records, uncompressedBudget.record, compressedBudget.record],
    ["stack nodes", shares.nodes, uncompressedBudget.node, compressedBudget.node],
    ["other definitions", shares.others],
  ];
  const rows = kinds.map(([name, share, before, after]) => {
    const alone = packed(share);
    return [
      name,
      count(share.count),
      ...cells(share.bytes.length, share.count, before),
      ...cells(alone, share.count, after),
    ];
  });
  const whole = (/** @type {number} */ used, /** @type {number} */ budget) => [
    count(used),
    "",
    `${(used / budget).toFixed(2)} of ${count(budget)}`,
  ];
  const budgets = { before: allowed(uncompressedBudget, counts), after: allowed(compressedBudget, counts) };
  rows.push(["the capture", "", ...whole(bytes.length, budgets.before), ...whole(compressed, budgets.after)]);
  results.add(
    {
      caption,
      columns: ["", "count", "bytes", "each", "budget", "compressed", "each", "budget"],
      rows,
      notes: ["What records, nodes and definitions take compressed is that of each compressed alone."],
    },
    {
      ...counts,
      uncompressed: bytes.length,
      compressed,
      budgets,
      shares: kinds.map(([name, share]) => ({
        name,
        count: share.count,
        bytes: share.bytes.length,
        packed: packed(share),
      })),
    },
  );
}

/**
 * @param {number} bytes
 * @param {number} of how many
 * @param {number} [budget] bytes each
 */
function cells(bytes, of, budget) {
  return [count(bytes), (bytes / of).toFixed(2), budget === undefined ? "" : String(budget)];
}

/**
 * @param {Buffer} bytes
 * @param {number} level
 */
function packedAlone(bytes, level) {
  let packed = 0;
  for (let start = 0; start < bytes.length; start += MEMBER_BYTES) {
    packed += gzipSync(bytes.subarray(start, start + MEMBER_BYTES), { level }).length;
  }
  return packed;
}
