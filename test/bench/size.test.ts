import { describe, expect, it } from "vitest";
import { account } from "../../bench/size/account.mjs";
import { allowed, compressedBudget, uncompressedBudget } from "../../bench/size/budget.mjs";
import { AllocatorType, FORMAT_VERSION } from "../../src/capture/wire.js";
import { CaptureWriter, HEADER } from "../support/capture-writer.js";

/** Writes records, and tells how many bytes they took. */
function bytesOf(writer: CaptureWriter, write: () => void): number {
  const before = writer.length;
  write();
  return writer.length - before;
}

describe("the bytes of a capture", () => {
  it("are told apart, to the byte", () => {
    const writer = new CaptureWriter();
    const header = writer.length;
    let others = bytesOf(writer, () => {
      writer.thread(1, 4711, "main").thread(2, 4712, "a worker");
      writer.module("/usr/lib/libc.so.6", "00ff".repeat(10), 0x7f00_0000_0000);
    });
    let frame = 0;
    let native = 0;
    others += bytesOf(writer, () => {
      const fn = writer.function("readRows", writer.script("/app/main.js", "data:application/json;base64,AAAA"), 3, 5);
      frame = writer.frame({ function: fn, line: 300, column: 7 }, { function: fn, line: 4 });
      native = writer.nativeFrame(1, 0x12_3456);
    });
    let [outer, inner] = [0, 0];
    const nodes = bytesOf(writer, () => {
      outer = writer.node(0, frame);
      inner = writer.node(outer, native);
      writer.node(0, native);
    });
    const records = bytesOf(writer, () => {
      writer.switchTo(1).malloc(inner, 200, 0x7f12_3456_7890).malloc(inner, 200, 0x7f12_3456_7990);
      writer.allocation(AllocatorType.POSIX_MEMALIGN, outer, 1_000_000, 0x10_0000);
      writer.switchTo(2).free(0x7f12_3456_7890).mmap(0, 4096, 0x20_0000).munmap(0x20_0000, 4096);
    });
    others += bytesOf(writer, () =>
      writer.snapshot(10, 1e8, 1, 2, 3).symbol(native, "malloc").trailer(1_700_000_000_500),
    );

    const shares = account(Buffer.from(writer.finish()));
    expect(shares?.bytes).toBe(writer.length);
    expect(shares?.records.count).toBe(6);
    expect(shares?.records.bytes.length).toBe(records);
    expect(shares?.nodes.count).toBe(3);
    expect(shares?.nodes.bytes.length).toBe(nodes);
    expect(shares?.others.bytes.length).toBe(others);
    expect(header + records + nodes + others).toBe(writer.length);
  });

  it("are not guessed at in a format of another version", () => {
    const later = new CaptureWriter(HEADER, FORMAT_VERSION + 1000).finish();
    expect(account(Buffer.from(later))).toBeUndefined();
  });

  it("are all to be understood", () => {
    const writer = new CaptureWriter().thread(1, 4711, "main").raw(0, 1, 2);
    expect(() => account(Buffer.from(writer.finish()))).toThrow(/understood up to/);
  });
});

it("the budget counts records and nodes", () => {
  const counts = { records: 1000, nodes: 100 };
  expect(allowed(uncompressedBudget, counts)).toBe(6 * 1000 + 5 * 100);
  expect(allowed(compressedBudget, counts)).toBe(1000 + 2 * 100);
});
