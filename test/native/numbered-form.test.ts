import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { CaptureError } from "../../src/capture/errors.js";
import { CaptureWriter, HEADER } from "../support/capture-writer.js";
import { root, temporaryFolder } from "../support/heapray.js";
import { longRun, randomSteps, write } from "../support/memory-steps.js";
import { noise } from "../support/noise.js";
import { numberedForm } from "../support/numbered-form.js";
import { testProgram } from "./test-programs.js";

// Python compresses with the agent's form, Node.js with the one of src/capture: they are the same, to the byte.
describe("the agent's numbered form of a capture", () => {
  const folder = temporaryFolder();
  afterAll(() => folder.remove());
  const file = folder.join("capture.bin");

  function formOf(capture: Uint8Array, pieceBytes = 4096): { status: number | null; bytes: Buffer } {
    writeFileSync(file, capture);
    const program = testProgram("numbered_form_driver");
    const { status, stdout } = spawnSync(program, [file, String(pieceBytes)], { maxBuffer: 2 ** 28 });
    return { status, bytes: stdout };
  }

  function expectSame(capture: Uint8Array, pieceBytes?: number): void {
    const { status, bytes } = formOf(capture, pieceBytes);
    expect(status).toBe(0);
    expect(bytes.equals(numberedForm(capture))).toBe(true);
  }

  /** Undefined where it says that the capture is damaged. */
  function formInTypeScript(capture: Uint8Array): Uint8Array | undefined {
    try {
      return numberedForm(capture);
    } catch (error) {
      if (error instanceof CaptureError) return undefined;
      throw error;
    }
  }

  it("is the same to the byte as in format 3", () => {
    const golden = (name: string) => readFileSync(path.join(root, "test/native", name), "utf8").trim();
    const plain = Buffer.from(golden("golden-capture.hex").replaceAll("\n", ""), "hex");
    const { status, bytes } = formOf(plain);
    expect(status).toBe(0);
    expect(bytes.toString("hex").replace(/.{64}/g, "$&\n").trim()).toBe(golden("golden-numbered.hex"));
  });

  it("is that of src/capture, whatever happened", { timeout: 120_000 }, () => {
    const runs = fc.property(randomSteps, fc.integer({ min: 1, max: 100 }), (steps, pieceBytes) =>
      expectSame(write(steps), pieceBytes),
    );
    fc.assert(runs, { numRuns: 50 });
  });

  it("is so for long captures, and where blocks come and go", () => {
    expectSame(write(longRun()), 100_000);
  });

  it("is so at both ends of the range of addresses", () => {
    const top = 2 ** 48 - 1;
    const writer = new CaptureWriter();
    const addresses = [0, top, 1, 2 ** 32, 2 ** 32 - 1, 2 ** 31, 2 ** 47, top - 7];
    for (const address of addresses) writer.malloc(0, 1, address).mmap(0, 4096, address);
    for (const address of addresses) writer.free(address).munmap(address, 4096).malloc(0, 2, address).free(address);
    expectSame(writer.finish());
  });

  it("copies all that is not about addresses", () => {
    const writer = new CaptureWriter();
    const text = "x".repeat(2_000_000);
    writer.thread(1, 7, text).switchTo(1).extended(200, noise(3_000_000)).malloc(writer.stack("f@a.js:1:2"), 1, 0x10);
    writer.snapshot(5, 6, 7, 8, 9).trailer(HEADER.startTimeMs + 3);
    for (const pieceBytes of [1000, 2 ** 20]) expectSame(writer.raw(9, 9, 9).finish(), pieceBytes);
  });

  it("ends where the capture is cut short, wherever that is", { timeout: 120_000 }, () => {
    const writer = new CaptureWriter().thread(1, 7, "main").switchTo(1);
    const start = writer.length;
    writer.malloc(writer.stack("f@a.js:1:2"), 300, 0x7f00_0000_1230).mmap(0, 4096, 0x7f00_0000_0000);
    const plain = writer.free(0x7f00_0000_1230).snapshot(5, 6, 7, 8, 9).finish();
    for (let length = start; length <= plain.length; length++) expectSame(plain.subarray(0, length));
  });

  it("says so of a damaged one, as src/capture does", { timeout: 120_000 }, () => {
    const plain = write(longRun()).subarray(0, 20_000);
    const header = new CaptureWriter().length;
    const damage = fc.array(fc.tuple(fc.integer({ min: header, max: plain.length - 1 }), fc.nat(255)), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(damage, (changes) => {
        const capture = Uint8Array.from(plain);
        for (const [at, byte] of changes) capture[at] = byte;
        const { status, bytes } = formOf(capture);
        const expected = formInTypeScript(capture);
        expect(status).toBe(expected === undefined ? 2 : 0);
        if (expected !== undefined) expect(bytes.equals(expected)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it("is none of a form, and none of what is no capture", () => {
    expect(formOf(numberedForm(write(longRun()))).status).toBe(3);
    for (const bytes of [new Uint8Array(), noise(100)]) expect(formOf(bytes).status).toBe(3);
  });
});
