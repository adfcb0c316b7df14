import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { FileReader } from "../../src/analysis/file-reader.js";
import { node, root, temporaryFolder } from "../support/heapray.js";
import { nodeVersions } from "../support/node-versions.js";

// `npm run stress` does so for minutes.
test.each(nodeVersions)("everything at once on $name, while tracking starts and stops", ({ path: binary }) => {
  const folder = temporaryFolder();
  try {
    const program = path.join(path.dirname(fileURLToPath(import.meta.url)), "stress.cjs");
    const args = ["--expose-gc", program, path.join(root, "dist/index.cjs"), folder.path, "6"];
    const { status, stdout, stderr } = node(args, { node: binary });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const done = JSON.parse(stdout) as Record<string, number>;
    for (const what of ["loops", "pool", "timers", "collections", "workers", "sessions"]) {
      expect(done[what], what).toBeGreaterThan(4);
    }
    for (const name of ["0.bin", "1.bin", "2.bin", "3.bin"]) {
      using reader = new FileReader(folder.join(name));
      expect(reader.metadata.complete).toBe(true);
      expect(reader.metadata.totalAllocations).toBeGreaterThan(0);
    }
  } finally {
    folder.remove();
  }
});
