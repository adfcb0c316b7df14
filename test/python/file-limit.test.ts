import { spawnSync } from "node:child_process";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { cliPath, type Folder, temporaryFolder } from "../support/heapray.js";
import { pythons, withHeapray } from "../support/pythons.js";

let folder: Folder;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.remove());

/** Without a handler of Python's, whatever writes beyond the limit ends the process. */
const ALLOCATES = `
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
kept = [bytearray(i % 2000 + 1) for i in range(300_000)]
print("went on")
`;

describe.each(pythons)("on $name", (version) => {
  let python = "";
  beforeAll(() => {
    python = withHeapray(version);
  }, 600_000);

  test.each([[[]], [["--buffered-file-io"]]])(
    "a limit on the sizes of files ends tracking, and never the program: %s",
    (flags) => {
      folder.write("allocates.py", ALLOCATES);
      const run = [cliPath, "run", "-q", "-o", "a.bin", ...flags, "--trace-python-allocators", "--python", python];
      const limited = ["-c", 'ulimit -f 4000 && exec "$@"', "sh", process.execPath, ...run, "allocates.py"];
      const { status, stdout, stderr } = spawnSync("sh", limited, { cwd: folder.path, encoding: "utf8" });
      expect({ status, stdout }).toEqual({ status: 0, stdout: "went on\n" });
      expect(stderr).toContain("tracking stopped, the program goes on");
      expect(stderr).toContain("File too large");
    },
  );
});
