import { afterEach, beforeEach, expect, test } from "vitest";
import { FileReader } from "../../src/analysis/file-reader.js";
import { AllocatorType } from "../../src/capture/wire.js";
import { type Folder, heapray, temporaryFolder } from "../support/heapray.js";
import { nodeVersions } from "../support/node-versions.js";
import { ownStack, program, truthsOf } from "./truth.js";

let folder: Folder;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.remove());

test.each(nodeVersions)("a WebAssembly memory counts by its pages, on $name", ({ path: binary }) => {
  const capture = folder.join("capture.bin");
  const script = program("wasm-memory.cjs");
  const ended = heapray(["run", "-q", "-o", capture, "--node-arg=--expose-gc", script], { node: binary });
  expect(ended).toEqual({ status: 0, signal: null, stdout: "", stderr: "" });

  using reader = new FileReader(capture);
  const mapped: { size: number; stack: string }[] = [];
  let [begin, end, released] = [0, 0, 0];
  for (const record of reader.getAllocationRecords()) {
    const { allocator, address, size } = record;
    if (allocator === AllocatorType.MMAP) {
      // The reservation is of gigabytes.
      expect(size).toBeLessThan(100_000_000);
      const stack = ownStack(record.stackTrace());
      if (!stack.includes("wasm-memory.cjs")) continue;
      mapped.push({ size, stack });
      if (mapped.length === 1) begin = address;
      else expect(address).toBe(begin + 65_536);
      end = address + size;
    } else if (allocator === AllocatorType.MUNMAP && mapped.length === 2) {
      released += Math.max(0, Math.min(end, address + size) - Math.max(begin, address));
    }
  }
  expect(mapped).toEqual(truthsOf([script]).map(({ size, stack }) => ({ size, stack })));
  expect(released).toBe(65_536 * 3);
  const left = [...reader.getLeakedAllocationRecords()].filter(({ allocator }) => allocator === AllocatorType.MMAP);
  expect(left.map((record) => ownStack(record.stackTrace())).filter((stack) => stack !== "")).toEqual([]);
});
