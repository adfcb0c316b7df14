import { describe, expect, it } from "vitest";
import { MemoryByteSource } from "../../src/capture/byte-source.js";
import { RecordWalk } from "../../src/capture/record-walk.js";
import type { AllocatorType } from "../../src/capture/wire.js";
import { parsedLines } from "../../src/reporters/parse.js";
import { captureErrorOf } from "../support/capture-errors.js";
import { CaptureWriter } from "../support/capture-writer.js";
import { aggregatedFormatCapture, formatCapture } from "../support/format-capture.js";
import { numberedForm } from "../support/numbered-form.js";

function walkOf(bytes: Uint8Array): RecordWalk {
  return new RecordWalk(new MemoryByteSource(bytes, "test.bin"));
}

function parsed(bytes: Uint8Array): string {
  return [...parsedLines(walkOf(bytes))].join("");
}

const count = (text: string, name: string): number =>
  text.split("\n").filter((line) => line.startsWith(`${name} `)).length;

describe("the parse reporter", () => {
  it("writes what it wrote before, of a capture of every allocation", async () => {
    await expect(parsed(formatCapture())).toMatchFileSnapshot("golden/parse.txt");
  });

  it("writes what it wrote before, of an aggregated capture", async () => {
    await expect(parsed(aggregatedFormatCapture())).toMatchFileSnapshot("golden/parse-aggregated.txt");
  });

  it("has a line per record, whatever names contain, and nothing that steers a terminal", () => {
    const text = parsed(formatCapture());
    const lines = text.trimEnd().split("\n");
    const records = [...walkOf(formatCapture()).records()].length;
    expect(lines).toHaveLength(1 + records);
    expect(lines.filter((line) => !/^[A-Z_]+(?: [a-z_]+=|$)/.test(line))).toEqual([]);
    expect(/[^\x20-\x7e\n]/.test(text)).toBe(false);
  });

  it("shows numbered blocks by their numbers", () => {
    const text = parsed(numberedForm(formatCapture()));
    expect(text).toContain("HEADER version=3 ");
    expect(text).toMatch(/\nMALLOC thread=1 node=\d+ size=1000 block=#1\n/);
    expect(text).toMatch(/\nFREE thread=1 block=#4\n/);
    expect(text).toMatch(/\nMMAP thread=1 node=\d+ size=4096 address=0x10000\n/);
    for (const name of ["MALLOC", "CALLOC", "FREE", "FRAME", "NODE"]) {
      expect(count(text, name)).toBe(count(parsed(formatCapture()), name));
    }
  });

  it("shows what comes before damage, and then complains", () => {
    const bytes = new CaptureWriter().malloc(0, 5, 0x1000).malloc(9, 5, 0x2000).finish();
    let text = "";
    const error = captureErrorOf(() => {
      for (const chunk of parsedLines(walkOf(bytes))) text += chunk;
    });
    expect(error.message).toMatch(/^test\.bin is damaged at byte \d+: stack node 9 is used before it is defined/);
    expect(text).toMatch(/^HEADER .*\nMALLOC thread=0 node=0 size=5 address=0x1000\n$/);
  });

  it("names allocators and records that it does not know by their numbers", () => {
    const bytes = new CaptureWriter()
      .allocation(77 as AllocatorType, 0, 5, 0x1000)
      .extended(99, Uint8Array.of(1, 2))
      .finish();
    expect(parsed(bytes)).toMatch(/\nALLOCATOR_77 thread=0 .*\nUNKNOWN subtype=99 bytes=2\n$/);
  });

  it("comes in pieces, of a bounded size", () => {
    const writer = new CaptureWriter();
    for (let i = 0; i < 20_000; i++) writer.malloc(0, 5, 0x1000 + 16 * i);
    const pieces = [...parsedLines(walkOf(writer.finish()))];
    expect(pieces.length).toBeGreaterThan(5);
    expect(Math.max(...pieces.map((piece) => piece.length))).toBeLessThan(70_000);
    expect(count(pieces.join(""), "MALLOC")).toBe(20_000);
  });
});
