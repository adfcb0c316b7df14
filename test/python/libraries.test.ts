import { spawnSync } from "node:child_process";
import { copyFileSync, writeFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { FileReader } from "../../src/analysis/file-reader.js";
import { type Folder, temporaryFolder } from "../support/heapray.js";
import { pythons, withHeapray } from "../support/pythons.js";

// Libraries that come and go while the program is tracked: each one's calls are recorded, also where it lies at the
// address of one before it.

const LIBRARY = "#include <stdlib.h>\nvoid *take(size_t size) { return malloc(size); }\n";
const PROGRAM = `
import _ctypes, ctypes, os, sys
import heapray

capture, *libraries = sys.argv[1:]
take_of = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_size_t)
with heapray.Tracker(capture):
    for number, library in enumerate(libraries):
        handle = _ctypes.dlopen(library, os.RTLD_NOW)
        take = _ctypes.dlsym(handle, "take")
        take_of(take)(1_000_000 + number)
        print(take)
        if number % 2 == 1:
            _ctypes.dlclose(handle)
`;
const LIBRARIES = 8;

describe.each(pythons)("on $name", (python) => {
  let folder: Folder;
  let binary = "";
  beforeAll(() => {
    binary = withHeapray(python);
    folder = temporaryFolder();
    return () => folder.remove();
  }, 600_000);

  test("libraries are tracked that are loaded where others were", { timeout: 120_000 }, () => {
    const file = (name: string, text: string) => {
      writeFileSync(folder.join(name), text);
      return folder.join(name);
    };
    const library = folder.join("0.so");
    const flags = ["-shared", "-fPIC", "-O1", "-fno-optimize-sibling-calls", "-Wl,-z,relro,-z,now"];
    const built = spawnSync("g++", [...flags, "-x", "c", file("library.c", LIBRARY), "-o", library]);
    expect(built.status, String(built.stderr)).toBe(0);
    const libraries = [library];
    for (let i = 1; i < LIBRARIES; i++) {
      libraries.push(folder.join(`${i}.so`));
      copyFileSync(library, folder.join(`${i}.so`));
    }
    const capture = folder.join("capture.bin");
    const { status, stdout, stderr } = spawnSync(binary, [file("program.py", PROGRAM), capture, ...libraries], {
      encoding: "utf8",
    });
    expect(status, stderr).toBe(0);
    const places = stdout.trim().split("\n");
    expect(places).toHaveLength(LIBRARIES);
    expect(new Set(places).size).toBeLessThan(LIBRARIES);
    using reader = new FileReader(capture);
    const sizes = [...reader.getAllocationRecords()].map(({ size }) => size).filter((size) => size >= 1_000_000);
    for (let i = 0; i < LIBRARIES; i++) expect(sizes).toContain(1_000_000 + i);
  });
});
