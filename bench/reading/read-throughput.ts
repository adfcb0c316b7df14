/**
 * How fast captures are read: records per second for decoding, for decoding plus the high-water mark, and for decoding
 * plus leaks, temporal analyses and statistics in one pass; with the ratio to a bare pass over the same bytes. Of a
 * capture file, or of a synthetic one.
 *   npx esbuild --bundle --platform=node --format=esm bench/reading/read-throughput.ts |
 *     node --input-type=module - [--json] [--rounds <n>] [--compressed]
 *       [<capture> | --records 2M --live 10k --stacks 10k --threads 4 --depth 20]
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { gunzipSync, gzipSync } from "node:zlib";
import { AllocationLifetimes } from "../../src/analysis/allocation-lifetimes.js";
import { AllocationStatistics } from "../../src/analysis/allocation-statistics.js";
import type { Births } from "../../src/analysis/births.js";
import { HighWaterMark } from "../../src/analysis/high-water-mark.js";
import { IntervalSnapshots } from "../../src/analysis/interval-snapshots.js";
import { LiveMemory } from "../../src/analysis/live-memory.js";
import { TemporalHighWaterMarks } from "../../src/analysis/temporal-high-water-marks.js";
import { MemoryByteSource } from "../../src/capture/byte-source.js";
import { CaptureDecoder } from "../../src/capture/decoder.js";
import { EventBatch } from "../../src/capture/event-batch.js";
import { MEMBER_BYTES, withLength } from "../../src/capture/gzip-member.js";
import { nameOfShape, SHAPE_OPTIONS, shapeOf } from "./shape-options.js";
import { writeSyntheticCapture } from "./synthetic-capture.js";

/** A pass is not repeated once its rounds took this long. */
const LONG_ENOUGH_MS = 8000;
const MAX_INTERVALS = 1000;
/** As in `heapray run`. */
const GZIP_LEVEL = 4;

const { values, positionals } = parseArgs({
  options: {
    ...SHAPE_OPTIONS,
    json: { type: "boolean", default: false },
    rounds: { type: "string", default: "7" },
    compressed: { type: "boolean", default: false },
  },
  allowPositionals: true,
});

function synthetic(): { name: string; bytes: Uint8Array } {
  const shape = shapeOf(values);
  const pieces: Uint8Array[] = [];
  writeSyntheticCapture(shape, (piece) => pieces.push(piece.slice()));
  return { name: nameOfShape(shape), bytes: Buffer.concat(pieces) };
}

function compressed(capture: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < capture.length; at += MEMBER_BYTES) {
    const { header, rest } = withLength(gzipSync(capture.subarray(at, at + MEMBER_BYTES), { level: GZIP_LEVEL }));
    parts.push(header, rest);
  }
  return Buffer.concat(parts);
}

/** Milliseconds, the median of the rounds. */
function median(run: () => void): number {
  const times: number[] = [];
  let total = 0;
  while (times.length < Number(values.rounds) && total < LONG_ENOUGH_MS) {
    const start = process.hrtime.bigint();
    run();
    const time = Number(process.hrtime.bigint() - start) / 1e6;
    times.push(time);
    total += time;
  }
  times.sort((a, b) => a - b);
  return times[times.length >>> 1] as number;
}

const [file] = positionals;
const capture = file === undefined ? synthetic() : { name: path.basename(file), bytes: readFileSync(file) };
const bytes = values.compressed ? compressed(capture.bytes) : capture.bytes;
const gunzip = (member: Uint8Array, size: number): Uint8Array => gunzipSync(member, { chunkSize: Math.max(64, size) });
const open = (): CaptureDecoder => new CaptureDecoder(new MemoryByteSource(bytes), { gunzip });

let records = 0;
let sum = 0;
const bareMs = median(() => {
  for (let i = 0; i < bytes.length; i++) sum = (sum + (bytes[i] as number)) | 0;
});
const decodeMs = median(() => {
  const decoder = open();
  const batch = new EventBatch();
  records = 0;
  while (decoder.next(batch)) records += batch.length;
});
let peakBytes = 0;
const highWaterMarkMs = median(() => {
  const decoder = open();
  const batch = new EventBatch();
  const mark = new HighWaterMark();
  while (decoder.next(batch)) mark.add(batch);
  peakBytes = mark.peakBytes;
});
const onePassMs = median(() => {
  const decoder = open();
  const batch = new EventBatch();
  const live = new LiveMemory({ maxIntervals: MAX_INTERVALS, births: true });
  const readers = [
    new HighWaterMark(live),
    new TemporalHighWaterMarks(live.locations),
    new AllocationLifetimes(live.births as Births),
    new AllocationStatistics(live.locations),
    new IntervalSnapshots(),
  ];
  while (decoder.next(batch)) {
    const changes = live.follow(batch);
    for (const reader of readers) reader.take(changes);
  }
});

const passes = { bareMs, decodeMs, highWaterMarkMs, onePassMs };
const each = (value: (ms: number) => number): Record<string, number> =>
  Object.fromEntries(Object.entries(passes).map(([pass, ms]) => [pass.replace(/Ms$/, ""), value(ms)]));
const name = values.compressed ? `${capture.name}, compressed` : capture.name;
const recordsPerSecond = each((ms) => Math.round((records / ms) * 1e3));
const ratios = each((ms) => ms / bareMs);
if (values.json) {
  console.log(JSON.stringify({ name, records, bytes: bytes.length, peakBytes, ...passes, recordsPerSecond, ratios }));
} else {
  console.log(`${name}: ${records} records, ${bytes.length} bytes, peak ${peakBytes} bytes (checksum ${sum})`);
  const titles = {
    bare: "bare pass over the bytes",
    decode: "decode",
    highWaterMark: "decode + high-water mark",
    onePass: "decode + all analyses",
  };
  for (const [pass, title] of Object.entries(titles)) {
    const ms = passes[`${pass}Ms` as keyof typeof passes];
    const rate = ((recordsPerSecond[pass] as number) / 1e6).toFixed(1);
    const ratio = (ratios[pass] as number).toFixed(1);
    console.log(
      `${title.padEnd(26)} ${ms.toFixed(1).padStart(8)} ms  ${rate.padStart(6)} M records/s  ${ratio}x the bare pass`,
    );
  }
}
