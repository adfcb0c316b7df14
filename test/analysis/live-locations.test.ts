import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { answeringFrame, nameWithoutFrames } from "../../src/analysis/answering-frame.js";
import { LiveCapture } from "../../src/analysis/live-capture.js";
import type { LiveQuery, LocationTotals } from "../../src/analysis/live-locations.js";
import type { AllocationRecord } from "../../src/capture/records.js";
import { AllocatorType } from "../../src/capture/wire.js";
import { CaptureWriter } from "../support/capture-writer.js";

const { MALLOC, CALLOC, MMAP } = AllocatorType;
const ALLOCATORS = [MALLOC, CALLOC, MMAP];

interface Row {
  own: number;
  total: number;
  ownCount: number;
  totalCount: number;
}

/** The rows that hold anything, by name. */
function rowsOf(live: LiveCapture, totals: LocationTotals): Record<string, Row> {
  const rows = live.locationNames.map((name, i): [string, Row] => [
    `${name.function}@${name.file}${name.line === 0 ? "" : `:${name.line}`}`,
    {
      own: totals.ownBytes[i] ?? 0,
      total: totals.totalBytes[i] ?? 0,
      ownCount: totals.ownAllocations[i] ?? 0,
      totalCount: totals.totalAllocations[i] ?? 0,
    },
  ]);
  return Object.fromEntries(rows.filter(([, { totalCount }]) => totalCount > 0));
}

/** The same from records, the simplest way. */
function expectedRows(records: Iterable<AllocationRecord>): Record<string, Row> {
  const rows: Record<string, Row> = {};
  for (const { stackTrace, ...record } of [...records].map((one) => ({
    stackTrace: one.stackTrace(),
    size: one.size,
    n: one.nAllocations,
    who: one,
  }))) {
    const names = stackTrace.map((frame) => `${frame.function}@${frame.file}`);
    if (names.length === 0) names.push(`${nameWithoutFrames(record.who)}@`);
    const answering = answeringFrame(stackTrace, record.who);
    for (const name of new Set(names)) {
      rows[name] ??= { own: 0, total: 0, ownCount: 0, totalCount: 0 };
      const row = rows[name];
      row.total += record.size;
      row.totalCount += record.n;
      if (name !== `${answering.function}@${answering.file}`) continue;
      row.own += record.size;
      row.ownCount += record.n;
    }
  }
  return rows;
}

/** Of the program, of a package, of Node.js. */
const FILES = ["/srv/app.js", "/srv/node_modules/kept/index.js", "node:buffer"];

/** A stack as functions' numbers, each physical frame with those inlined into it, outermost first. */
const stacks = fc.array(fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 3 }), { maxLength: 6 });

const steps = fc.array(
  fc.record({
    stack: stacks,
    thread: fc.integer({ min: 1, max: 3 }),
    allocator: fc.constantFrom(...ALLOCATORS),
    size: fc.integer({ min: 1, max: 1000 }),
    frees: fc.boolean(),
    asks: fc.boolean(),
  }),
  { maxLength: 40 },
);

/** Everything, or a part of it. */
const queries: LiveQuery[] = [{}, { thread: 1 }, { allocators: [MALLOC] }, { thread: 2, allocators: [CALLOC, MMAP] }];

describe("what is live by function", () => {
  test("is what the records say, while a capture arrives", () => {
    fc.assert(
      fc.property(steps, (all) => {
        const writer = new CaptureWriter();
        const live = new LiveCapture("live");
        let sent = 0;
        const send = (): void => {
          live.push(writer.finish().slice(sent));
          sent = writer.length;
        };
        const names = Array.from({ length: 6 }, (_, i) =>
          writer.function(`f${i % 4}`, writer.script(FILES[i % 3] as string)),
        );
        for (const [i, tid] of [100, 101, 102].entries()) writer.thread(i + 1, tid, i === 2 ? "" : `thread ${i}`);
        for (const [i, step] of all.entries()) {
          const node = step.stack.reduce((parent, frame) => {
            return writer.node(parent, writer.frame(...frame.map((name) => ({ function: names[name] as number }))));
          }, 0);
          writer.switchTo(step.thread).allocation(step.allocator, node, step.size, 0x1000_0000 + i * 0x1_0000);
          if (step.frees && step.allocator !== MMAP) writer.free(0x1000_0000 + i * 0x1_0000);
          if (!step.asks) continue;
          send();
          live.locations();
        }
        send();
        for (const query of queries) {
          const totals = live.locations(query);
          const records = live.records({ ...query, mergeThreads: false });
          expect(rowsOf(live, totals)).toEqual(expectedRows(records));
          expect(totals.bytes).toBe(records.reduce((sum, { size }) => sum + size, 0));
          expect(totals.allocations).toBe(records.reduce((sum, { nAllocations }) => sum + nAllocations, 0));
        }
      }),
      { numRuns: 300 },
    );
  });

  test("tells functions without a name apart by where they begin", () => {
    const writer = new CaptureWriter();
    const script = writer.script("/srv/app.js");
    for (const [i, line] of [3, 9, 9].entries()) {
      const frame = writer.frame({ function: writer.function("<anonymous>", script, line, 5), line: 20 + i });
      writer.malloc(writer.node(0, frame), 100, 0x1000 * (i + 1));
    }
    const live = new LiveCapture("live");
    live.push(writer.finish());
    const rows = rowsOf(live, live.locations());
    expect(Object.entries(rows).map(([name, { own }]) => [name, own])).toEqual([
      ["<anonymous>@/srv/app.js:3", 100],
      ["<anonymous>@/srv/app.js:9", 200],
    ]);
  });

  test("stays what it was while it is held, whatever arrives", () => {
    const writer = new CaptureWriter().thread(1, 7, "main").switchTo(1);
    const [a, b] = [writer.stack("a@/a.js:1"), writer.stack("b@/b.js:1")];
    writer.malloc(a, 100, 0x1000);
    const live = new LiveCapture("live");
    live.push(writer.finish());
    const held = live.hold();
    const sent = writer.length;
    live.push(writer.malloc(b, 50, 0x2000).free(0x1000).finish().slice(sent));
    const sizes = (records: AllocationRecord[]) => records.map(({ size }) => size);
    expect(rowsOf(live, live.locations({}, held))).toEqual({
      "a@/a.js": { own: 100, total: 100, ownCount: 1, totalCount: 1 },
    });
    expect(sizes(live.records({}, held))).toEqual([100]);
    expect(Object.keys(rowsOf(live, live.locations()))).toEqual(["b@/b.js"]);
    expect(sizes(live.records())).toEqual([50]);
    expect(live.threads).toEqual([{ index: 1, tid: 7, name: "main" }]);
  });

  test("is nothing before anything has arrived", () => {
    const live = new LiveCapture("live");
    expect([live.locations().bytes, live.locationNames, live.threads, live.metadata]).toEqual([0, [], [], undefined]);
  });
});
