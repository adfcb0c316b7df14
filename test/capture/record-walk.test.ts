import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MemoryByteSource } from "../../src/capture/byte-source.js";
import { CaptureError } from "../../src/capture/errors.js";
import { RecordWalk } from "../../src/capture/record-walk.js";
import { AllocatorType } from "../../src/capture/wire.js";
import { CaptureWriter } from "../support/capture-writer.js";
import { allEvents, decode, type Event } from "../support/events.js";
import { aggregatedFormatCapture, formatCapture } from "../support/format-capture.js";

interface Read {
  readonly events: readonly Event[];
  /** Lengths of the tables at the end. */
  readonly defined: Readonly<Record<string, number>>;
  readonly definitions: Readonly<Record<string, number>>;
  readonly error: string | undefined;
}

/** All that the walk finds, in the decoder's terms. */
function walked(bytes: Uint8Array): Read {
  const walk = new RecordWalk(new MemoryByteSource(bytes, "test.bin"));
  const events: Event[] = [];
  const definitions: Record<string, number> = {};
  let thread = 0;
  let error: string | undefined;
  try {
    for (const record of walk.records()) {
      if (record.kind === "switch") {
        thread = record.thread;
      } else if (record.kind === "allocation") {
        const { node, size, address } = record;
        events.push({ kind: nameOf(record.allocator), thread, node, size, address });
      } else if (record.kind === "free") {
        events.push({ kind: "FREE", thread, node: 0, size: 0, address: record.address });
      } else if (record.kind === "munmap") {
        events.push({ kind: "MUNMAP", thread, node: 0, size: record.size, address: record.address });
      } else if (record.kind === "snapshot") {
        events.push({ kind: "snapshot", thread, node: 0, size: 0, address: record.snapshot.timeMs });
      } else {
        definitions[record.kind] = (definitions[record.kind] ?? 0) + 1;
      }
    }
  } catch (thrown) {
    error = messageOf(thrown);
  }
  return { events, defined: lengths(walk), definitions, error };
}

function decoded(bytes: Uint8Array): Omit<Read, "definitions"> {
  const decoder = decode(bytes);
  let error: string | undefined;
  let events: readonly Event[] = [];
  try {
    events = allEvents(decoder);
  } catch (thrown) {
    error = messageOf(thrown);
  }
  return { events, defined: lengths(decoder), error };
}

function lengths({ tables, aggregate }: Pick<RecordWalk, "tables" | "aggregate">): Record<string, number> {
  return {
    strings: tables.strings.length,
    scripts: tables.scriptUrl.length,
    functions: tables.functionName.length,
    frames: tables.frameEnd.length,
    nodes: tables.nodeParent.length,
    threads: tables.threadTid.length,
    modules: tables.modulePath.length,
    symbols: tables.frameSymbol.size,
    locations: aggregate.length,
  };
}

function messageOf(thrown: unknown): string {
  if (thrown instanceof CaptureError) return thrown.message;
  throw thrown;
}

function nameOf(allocator: number): string {
  return AllocatorType[allocator] ?? String(allocator);
}

function golden(name: string): Uint8Array {
  const text = readFileSync(new URL(`../native/${name}.hex`, import.meta.url), "utf8").replace(/#.*$/gm, "");
  return Uint8Array.from(text.match(/[0-9a-f]{2}/gi) ?? [], (byte) => Number.parseInt(byte, 16));
}

const CAPTURES: readonly (readonly [string, Uint8Array])[] = [
  ["a capture of every allocation", formatCapture()],
  ["an aggregated capture", aggregatedFormatCapture()],
  ["what the agent writes", golden("golden-capture")],
  ["what compressing makes of it", golden("golden-numbered")],
  ["what the agent aggregates", golden("golden-aggregated")],
];

describe.each(CAPTURES)("%s", (_, bytes) => {
  it("is walked to the same events and definitions that the decoder finds", () => {
    const { definitions, ...found } = walked(bytes);
    expect(found).toEqual(decoded(bytes));
    expect(found.error).toBeUndefined();
    // Id 0 stands for nothing.
    expect(definitions.string ?? 0).toBe((found.defined.strings as number) - 1);
    expect(definitions.node ?? 0).toBe((found.defined.nodes as number) - 1);
    expect(definitions.frame ?? 0).toBe((found.defined.frames as number) - 1);
    expect(definitions.location ?? 0).toBe(found.defined.locations);
    expect(definitions.trailer).toBe(1);
  });

  it("is walked as far as it goes, wherever it was cut", () => {
    const header = new RecordWalk(new MemoryByteSource(bytes, "test.bin"));
    expect(header.header.pid).toBeGreaterThan(0);
    for (let length = bytes.length - 1; length > bytes.length - 400 && length > 0; length--) {
      const cut = bytes.slice(0, length);
      let expected: Omit<Read, "definitions">;
      try {
        expected = decoded(cut);
      } catch {
        break;
      }
      const { definitions: _definitions, ...found } = walked(cut);
      expect(found).toEqual(expected);
    }
  });

  it("is damaged to both at the same place, where a byte was changed", () => {
    const start = bytes.length - Math.min(bytes.length - 400, 3000);
    fc.assert(
      fc.property(fc.integer({ min: start, max: bytes.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const changed = bytes.slice();
        changed[at] = (changed[at] as number) ^ change;
        const found = walked(changed);
        const expected = decoded(changed);
        expect(found.error).toBe(expected.error);
        if (expected.error === undefined) expect(found.events).toEqual(expected.events);
        expect(found.defined).toEqual(expected.defined);
      }),
      { numRuns: 300 },
    );
  });
});

it("records of a later version are told, and skipped", () => {
  const bytes = new CaptureWriter()
    .extended(99, Uint8Array.of(1, 2, 3))
    .malloc(0, 5, 0x1000)
    .finish();
  const walk = new RecordWalk(new MemoryByteSource(bytes, "test.bin"));
  expect([...walk.records()].map(({ kind }) => kind)).toEqual(["unknown", "allocation"]);
});

it("a renamed thread is told again", () => {
  const bytes = new CaptureWriter().thread(1, 10, "main").thread(2, 11, "a").thread(1, 10, "renamed").finish();
  const walk = new RecordWalk(new MemoryByteSource(bytes, "test.bin"));
  const threads = [...walk.records()].flatMap((record) => (record.kind === "thread" ? [record.id] : []));
  expect(threads).toEqual([1, 2, 1]);
});
