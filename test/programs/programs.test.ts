import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { FileReader } from "../../src/analysis/file-reader.js";
import { type Ended, type Folder, heapray, node, root, temporaryFolder } from "../support/heapray.js";
import { nodeVersions } from "../support/node-versions.js";

// Programs that nobody here wrote: tracked, they end as they do untracked, and leave the same files.

let folder: Folder;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.remove());

/** Names and contents of all files below a folder. */
function filesOf(directory: string): Record<string, string> {
  const files: Record<string, string> = {};
  for (const name of readdirSync(directory, { recursive: true, encoding: "utf8" }).sort()) {
    const file = path.join(directory, name);
    if (statSync(file).isFile()) files[name] = createHash("sha256").update(readFileSync(file)).digest("hex");
  }
  return files;
}

/** Runs a program untracked and tracked, each with an output folder of its own, and compares all that can be seen. */
function compare(
  binary: string,
  program: string,
  args: (out: string) => string[],
  steady: (ended: Ended) => unknown,
): string {
  const options = { cwd: root, node: binary };
  const plain = node([program, ...args(folder.join("plain"))], options);
  const capture = folder.join("capture.bin");
  const tracked = heapray(["run", "-q", "-o", capture, program, ...args(folder.join("tracked"))], options);
  expect(steady(tracked)).toEqual(steady(plain));
  expect(plain.status).toBe(0);
  expect(existsSync(folder.join("plain"))).toBe(true);
  expect(filesOf(folder.join("tracked"))).toEqual(filesOf(folder.join("plain")));
  return capture;
}

function expectPeakInside(capture: string, packageName: string): void {
  using reader = new FileReader(capture);
  expect(reader.metadata.complete).toBe(true);
  let inside = 0;
  for (const record of reader.getHighWatermarkAllocationRecords()) {
    if (record.stackTrace().some(({ file }) => file.includes(`/node_modules/${packageName}/`))) inside += record.size;
  }
  // How much of the heap the collector's own threads map, which have no stack, is a matter of luck.
  expect(inside / reader.metadata.peakMemory).toBeGreaterThan(0.4);
}

test.each(nodeVersions)(
  "tsc compiles this project, on $name",
  ({ path: binary }) => {
    const capture = compare(
      binary,
      "node_modules/typescript/bin/tsc",
      (out) => ["-p", ".", "--outDir", out],
      (ended) => ended,
    );
    expectPeakInside(capture, "typescript");
  },
  240_000,
);

test("vite builds the page", () => {
  compare(
    process.execPath,
    "node_modules/vite/bin/vite.js",
    (out) => ["build", "--config", "ui/vite.config.ts", "--outDir", out, "--emptyOutDir"],
    // It prints where it wrote and how long it took.
    ({ status, signal }) => ({ status, signal }),
  );
}, 240_000);
