import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AllocationRecord, Frame } from "../../src/capture/records.js";
import { AllocatorType } from "../../src/capture/wire.js";
import { writeCollapsed } from "../../src/reporters/collapsed.js";
import { writeGprof2dot } from "../../src/reporters/gprof2dot.js";
import { writeHeapProfile } from "../../src/reporters/heap-profile.js";
import { writeSpeedscope } from "../../src/reporters/speedscope.js";
import { HEADER } from "../support/capture-writer.js";
import {
  aggregatedFormatCapture,
  FORMAT_SUMS,
  formatCapture,
  NASTY_FILE,
  NASTY_NAME,
} from "../support/format-capture.js";
import { readerOf } from "../support/memory-reader.js";
import { type HeapNode, STACK_FILES, totalOf } from "../support/stack-files.js";

type Records = Iterable<AllocationRecord>;

function text(report: (write: (chunk: string) => void) => void): string {
  let written = "";
  report((chunk) => {
    written += chunk;
  });
  return written;
}

const FORMATS = {
  collapsed: (records: Records) => text((write) => writeCollapsed(records, write)),
  gprof2dot: (records: Records) => text((write) => writeGprof2dot(records, write)),
  speedscope: (records: Records) => text((write) => writeSpeedscope({ records, metadata: HEADER }, write)),
  heapprofile: (records: Records) => text((write) => writeHeapProfile(records, write)),
};

const names = Object.keys(FORMATS) as (keyof typeof FORMATS)[];

function peak(capture: Uint8Array): Records {
  return readerOf(capture).getHighWatermarkAllocationRecords({ mergeThreads: false });
}

describe.each(names)("%s", (name) => {
  const write = FORMATS[name];
  const read = STACK_FILES[name];

  it("is what it was", async () => {
    await expect(write(peak(formatCapture()))).toMatchFileSnapshot(`golden/${name}.txt`);
  });

  it("holds all bytes of the peak, or of the end", () => {
    const leaks = readerOf(formatCapture()).getLeakedAllocationRecords({ mergeThreads: false });
    expect(totalOf(read(write(peak(formatCapture()))))).toBe(FORMAT_SUMS.peak);
    expect(totalOf(read(write(leaks)))).toBe(FORMAT_SUMS.leaks);
  });

  it("is the same of an aggregated capture", () => {
    expect(write(peak(aggregatedFormatCapture()))).toBe(write(peak(formatCapture())));
  });

  it("is well-formed where nothing is held", () => {
    expect(read(write([]))).toEqual([]);
  });

  it("keeps stacks apart, whatever they are and in whatever order they come", () => {
    const frame = fc.constantFrom("a", "b", "c", "d");
    const stack = fc.array(frame, { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(fc.array(fc.tuple(stack, fc.integer({ min: 1, max: 1e12 })), { maxLength: 30 }), (held) => {
        const expected = new Map<string, number>();
        for (const [frames, size] of held) {
          const key = frames.join();
          expected.set(key, (expected.get(key) ?? 0) + size);
        }
        const found = read(
          write(
            held.map(([frames, size]) =>
              record(
                size,
                frames.map((of) => frameOf(of)),
              ),
            ),
          ),
        );
        expect(new Map(found.map(([frames, bytes]) => [frames.join(), bytes]))).toEqual(expected);
        expect(found).toHaveLength(expected.size);
      }),
    );
  });

  it("takes stacks of thousands of frames", () => {
    const deep = Array.from({ length: 20_000 }, (_, i) => frameOf(i % 2 === 0 ? "even" : "odd"));
    const file = write([record(7, deep)]);
    // The reader of this test is recursive.
    if (name !== "heapprofile") expect(read(file)[0]?.[0]).toHaveLength(20_000);
    expect(JSON.stringify(file)).toContain("even");
  });

  it("is written in pieces", () => {
    const chunks: string[] = [];
    const many = Array.from({ length: 3000 }, (_, i) =>
      record(i + 1, [frameOf(`function number ${i} ${"x".repeat(99)}`)]),
    );
    if (name === "collapsed") writeCollapsed(many, (chunk) => chunks.push(chunk));
    if (name === "gprof2dot") writeGprof2dot(many, (chunk) => chunks.push(chunk));
    if (name === "speedscope") writeSpeedscope({ records: many, metadata: HEADER }, (chunk) => chunks.push(chunk));
    if (name === "heapprofile") writeHeapProfile(many, (chunk) => chunks.push(chunk));
    expect(chunks.length).toBeGreaterThan(1);
    expect(totalOf(read(chunks.join("")))).toBe((3000 * 3001) / 2);
  });
});

function frameOf(name: string): Frame {
  return { function: name, file: "", line: 0, column: 0 };
}

/** `frames`: outermost first. */
function record(size: number, frames: readonly Frame[]): AllocationRecord {
  return {
    tid: 0,
    threadName: "main",
    address: 0,
    size,
    allocator: AllocatorType.MALLOC,
    stackId: 1,
    nAllocations: 1,
    stackTrace: () => frames.toReversed(),
  };
}

describe("names that mean something to a format", () => {
  const frame = { function: NASTY_NAME, file: NASTY_FILE, line: 9, column: 2 };
  const outer = frameOf("outer");
  const records = [record(5, [outer, frame])];

  it("keep a collapsed stack one line of two frames", () => {
    expect(FORMATS.collapsed(records)).toBe(
      `${String.raw`outer;a:b "c"\n\u001b[31m<i>,|\u2028 7 (/srv/a b:c\n.js:9) 5`}\n`,
    );
  });

  it.each(["gprof2dot", "speedscope", "heapprofile"] as const)("come out of %s as they were", (name) => {
    expect(STACK_FILES[name](FORMATS[name](records))).toEqual([[["outer", NASTY_NAME], 5]]);
  });

  it("are an URL in a heap profile", () => {
    const { head } = JSON.parse(FORMATS.heapprofile(records)) as { head: HeapNode };
    const inner = head.children[0]?.children[0]?.callFrame;
    expect(inner).toMatchObject({ url: "file:///srv/a%20b;c%0A.js", lineNumber: 8, columnNumber: 1 });
  });
});

describe("the heap profile", () => {
  it("has what the DevTools protocol requires of SamplingHeapProfile", () => {
    const { head, samples } = JSON.parse(FORMATS.heapprofile(peak(formatCapture())));
    const ids = new Map<number, number>();
    const walk = (node: HeapNode): void => {
      expect(Object.keys(node).sort()).toEqual(["callFrame", "children", "id", "selfSize"]);
      expect(Object.keys(node.callFrame).sort()).toEqual([
        "columnNumber",
        "functionName",
        "lineNumber",
        "scriptId",
        "url",
      ]);
      expect(ids.has(node.id)).toBe(false);
      ids.set(node.id, node.selfSize);
      for (const child of node.children) walk(child);
    };
    walk(head);
    expect(head.callFrame.functionName).toBe("(root)");
    // Each sample is of a node, and those of a node add up to its size.
    for (const { size, nodeId, ordinal } of samples) {
      expect(ordinal).toBeGreaterThan(0);
      ids.set(nodeId, (ids.get(nodeId) as number) - size);
    }
    expect([...ids.values()].every((rest) => rest === 0)).toBe(true);
  });
});

describe("speedscope", () => {
  it("counts allocations in a profile of its own", () => {
    const { profiles, name, exporter } = JSON.parse(FORMATS.speedscope(peak(formatCapture())));
    const sums = profiles.map(({ weights }: { weights: number[] }) => weights.reduce((a, b) => a + b, 0));
    expect(sums).toEqual([FORMAT_SUMS.peak, 7]);
    expect(profiles.map(({ endValue }: { endValue: number }) => endValue)).toEqual(sums);
    expect({ name, exporter }).toEqual({ name: "node app.js --fast", exporter: "heapray@0.1.0" });
  });
});
