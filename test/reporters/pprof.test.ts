import { describe, expect, it } from "vitest";
import type { AllocationRecord, Frame } from "../../src/capture/records.js";
import { AllocatorType } from "../../src/capture/wire.js";
import { writePprof } from "../../src/reporters/pprof.js";
import { aggregatedFormatCapture, FORMAT_SUMS, formatCapture } from "../support/format-capture.js";
import { readerOf } from "../support/memory-reader.js";
import { type DecodedProfile, decodeProfile } from "../support/profile-proto.js";

function bytesOf(capture: Uint8Array, { leaks = false, aggregated = false } = {}): Uint8Array {
  const reader = readerOf(capture);
  const chunks: Uint8Array[] = [];
  const kind = leaks ? "leaks" : "high-water-mark";
  const records = leaks
    ? reader.getLeakedAllocationRecords({ mergeThreads: false })
    : reader.getHighWatermarkAllocationRecords({ mergeThreads: false });
  const allocated = aggregated ? undefined : reader.getTotalAllocationRecords({ mergeThreads: false });
  writePprof({ records, kind, allocated, metadata: reader.metadata }, (chunk) => chunks.push(chunk));
  return Buffer.concat(chunks);
}

const sums = ({ samples }: DecodedProfile): number[] =>
  samples.reduce<number[]>((sum, { values }) => values.map((value, i) => value + (sum[i] ?? 0)), []);

describe("the pprof reporter", () => {
  it("writes what it wrote before", async () => {
    const decoded = decodeProfile(bytesOf(formatCapture()));
    const lines = JSON.stringify(decoded, (_, value) => (typeof value === "bigint" ? String(value) : value), 1);
    await expect(`${lines}\n`).toMatchFileSnapshot("golden/pprof.txt");
  });

  it("has Go's sample types, with all allocations beside those held at the peak or the end", () => {
    const peak = decodeProfile(bytesOf(formatCapture()));
    expect(peak.sampleTypes).toEqual([
      "alloc_objects/count",
      "alloc_space/bytes",
      "inuse_objects/count",
      "inuse_space/bytes",
    ]);
    expect(peak.defaultSampleType).toBe("inuse_space");
    expect(sums(peak)).toEqual([FORMAT_SUMS.allocations, FORMAT_SUMS.all, 7, FORMAT_SUMS.peak]);
    const leaks = decodeProfile(bytesOf(formatCapture(), { leaks: true }));
    expect(sums(leaks)).toEqual([FORMAT_SUMS.allocations, FORMAT_SUMS.all, 6, FORMAT_SUMS.leaks]);
  });

  it("leaves out what an aggregated capture does not tell", () => {
    const profile = decodeProfile(bytesOf(aggregatedFormatCapture(), { aggregated: true }));
    expect(profile.sampleTypes).toEqual(["inuse_objects/count", "inuse_space/bytes"]);
    expect(sums(profile)).toEqual([7, FORMAT_SUMS.peak]);
  });

  it("tells when the program ran, and which", () => {
    const { timeNanos, durationNanos, comments, mappings } = decodeProfile(bytesOf(formatCapture()));
    expect({ timeNanos, durationNanos }).toEqual({
      timeNanos: 1_700_000_000_000_000_000n,
      durationNanos: 2_500_000_000n,
    });
    expect(comments).toEqual(["node app.js --fast", "node v24.21.0, heapray 0.1.0"]);
    // The first mapping is what pprof calls the program.
    expect(mappings.map(({ file, buildId }) => [file, buildId])).toEqual([
      ["node", ""],
      ["/usr/lib/libz.so.1", "0123abcd"],
    ]);
  });

  it("keeps names and places but for control characters, and tells where native code is", () => {
    const { samples } = decodeProfile(bytesOf(formatCapture()));
    const stacks = samples.map(({ stack }) => stack);
    expect(stacks).toContainEqual([
      String.raw`a;b "c"\n\u001b[31m<i>,|\u2028 7 /srv/a b;c\n.js:9:2`,
      "main /srv/app/app.ts:3:1",
    ]);
    expect(stacks).toContainEqual([
      "deflateInit2_ /usr/lib/libz.so.1:0:0 @ /usr/lib/libz.so.1 0x1234",
      "load /srv/app/app.ts:8:5",
      "main /srv/app/app.ts:3:1",
    ]);
  });

  it("labels samples with allocator and thread", () => {
    const { samples } = decodeProfile(bytesOf(formatCapture()));
    const withoutStack = samples.filter(({ stack }) => stack[0]?.startsWith("thread V8Worker, no JavaScript"));
    expect(withoutStack.map(({ labels, values }) => [labels, values[3]])).toEqual([
      [{ allocator: "MALLOC", thread: "V8Worker", tid: 4712 }, 600],
      [{ allocator: "CALLOC", thread: "V8Worker", tid: 4712 }, 4],
    ]);
  });

  it("calls temporary allocations so", () => {
    const profile = decodeProfile(write([record(5, [frame("f")])], "temporary"));
    expect(profile.sampleTypes).toEqual(["temporary_objects/count", "temporary_space/bytes"]);
    expect(profile.defaultSampleType).toBe("temporary_space");
  });

  it("is the same file every time", () => {
    expect(Buffer.compare(bytesOf(formatCapture()), bytesOf(formatCapture()))).toBe(0);
  });

  it("is valid where nothing is held", () => {
    expect(decodeProfile(write([])).samples).toEqual([]);
  });

  it("writes sizes beyond 32 bits exactly, in pieces", () => {
    const size = 2 ** 47 + 12_345;
    const frames = Array.from({ length: 10_000 }, (_, i) => [frame(`f${i}`)]);
    const profile = decodeProfile(write(frames.map((stack) => record(size, stack))));
    expect(profile.samples).toHaveLength(10_000);
    expect(profile.samples.every(({ values }) => values[1] === size)).toBe(true);
    expect(profile.samples[9_999]?.stack).toEqual(["f9999 a.js:1:0"]);
  });

  it("makes one location of functions inlined at one address, and several of recursion", () => {
    const code = { module: "/lib/x.so", buildId: "ab", address: 0x100 };
    const [inner, outer] = [frame("inner", code), frame("outer", code)];
    const { samples } = decodeProfile(write([record(1, [inner, outer, inner, outer, frame("main")])]));
    const both = "inner a.js:1:0 < outer a.js:1:0 @ /lib/x.so 0x100";
    expect(samples[0]?.stack).toEqual([both, both, "main a.js:1:0"]);
  });
});

function frame(name: string, code?: Frame["code"]): Frame {
  return { function: name, file: "a.js", line: 1, column: 0, ...(code && { native: true, code }) };
}

function record(size: number, stack: Frame[]): AllocationRecord {
  return {
    tid: 1,
    threadName: "main",
    address: 0,
    size,
    allocator: AllocatorType.MALLOC,
    stackId: 1,
    nAllocations: 1,
    stackTrace: () => stack,
  };
}

/** A profile without allocations that are not held. */
function write(
  records: readonly AllocationRecord[],
  kind: "high-water-mark" | "temporary" = "high-water-mark",
): Uint8Array {
  const chunks: Uint8Array[] = [];
  const { metadata } = readerOf(formatCapture());
  writePprof({ records, kind, metadata }, (chunk) => chunks.push(chunk));
  return Buffer.concat(chunks);
}
