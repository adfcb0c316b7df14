/**
 * How fast captures are read: records per second for decoding and for decoding plus the high-water mark, and their
 * ratio to a bare pass over the same bytes. Run: npx esbuild --bundle --platform=node --format=esm
 * bench/reading/read-throughput.ts | node --input-type=module - [allocations]
 */
import { HighWaterMark } from "../../src/analysis/high-water-mark.js";
import { MemoryByteSource } from "../../src/capture/byte-source.js";
import { CaptureDecoder } from "../../src/capture/decoder.js";
import { EventBatch } from "../../src/capture/event-batch.js";
import { syntheticCapture } from "./synthetic-capture.js";

const ROUNDS = 7;

function median(rounds: number, run: () => void): number {
  const times: number[] = [];
  for (let i = 0; i < rounds; i++) {
    const start = process.hrtime.bigint();
    run();
    times.push(Number(process.hrtime.bigint() - start) / 1e9);
  }
  times.sort((a, b) => a - b);
  return times[times.length >>> 1] as number;
}

const { bytes, records } = syntheticCapture(Number(process.argv[2] ?? 1_000_000));

let sum = 0;
const bare = median(ROUNDS, () => {
  for (let i = 0; i < bytes.length; i++) sum = (sum + (bytes[i] as number)) | 0;
});
const decode = median(ROUNDS, () => {
  const decoder = new CaptureDecoder(new MemoryByteSource(bytes));
  const batch = new EventBatch();
  while (decoder.next(batch)) sum += batch.length;
});
let peak = 0;
const analyse = median(ROUNDS, () => {
  const decoder = new CaptureDecoder(new MemoryByteSource(bytes));
  const batch = new EventBatch();
  const mark = new HighWaterMark();
  while (decoder.next(batch)) mark.add(batch);
  peak = mark.peakBytes;
});

const line = (what: string, seconds: number): void => {
  const rate = (records / seconds / 1e6).toFixed(1);
  console.log(
    `${what.padEnd(26)} ${(seconds * 1e3).toFixed(1).padStart(8)} ms  ${rate.padStart(6)} M records/s  ${(seconds / bare).toFixed(1)}x`,
  );
};
console.log(`${records} records, ${bytes.length} bytes, peak ${peak} bytes (checksum ${sum})`);
line("bare pass over the bytes", bare);
line("decode", decode);
line("decode + high-water mark", analyse);
