import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, readFileSync, renameSync, truncateSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ModuleSymbols } from "../../src/symbols/module-symbols.js";
import { type Folder, temporaryFolder } from "../support/heapray.js";
import { buildId, C_SOURCE, CXX_SOURCE, compile, functionsOf, returnsFrom } from "./library.js";

let folder: Folder;
beforeAll(() => {
  folder = temporaryFolder();
});
afterAll(() => folder.remove());

/** `function file:line` of the functions at each address. */
function lookUp(library: string, addresses: number[], symbols = new ModuleSymbols(), id = buildId(library)) {
  const { functions, ...rest } = symbols.lookUp({ path: library, buildId: id }, addresses);
  const shown = addresses.map((address) =>
    (functions.get(address) ?? []).map(({ name, file, line }) => `${name} ${file ?? "-"}:${line}`).join(" < "),
  );
  return { shown, ...rest };
}

describe("a library with debug information", () => {
  it("has functions, inlined ones included, with file and line", () => {
    const library = compile(folder, "cxx.so", CXX_SOURCE, "-g");
    const [inPool = 0] = returnsFrom(library, /malloc/);
    const [inStart = 0] = returnsFrom(library, /fill/);
    const source = folder.join("cxx.cc");
    expect(lookUp(library, [inStart, inPool])).toEqual({
      shown: [`start ${source}:17`, `app::grab ${source}:5 < app::Pool::fill ${source}:10`],
    });
  });

  it("never calls an inlined function by the name of the one it is in", () => {
    // Without a name for linking: binutils' addr2line gives it that of the function around it.
    const source = CXX_SOURCE.replace("inline __attribute", "static inline __attribute");
    const library = folder.join("static.so");
    const file = folder.write("static.cc", source);
    execFileSync("g++", ["-shared", "-fPIC", "-O2", "-g", "-o", library, file]);
    const { shown } = lookUp(library, returnsFrom(library, /malloc/));
    expect(shown).toEqual([
      expect.stringMatching(/^(app::grab|grab|<inlined>) .*static\.cc:5 < app::Pool::fill .*:10$/),
    ]);
  });

  it("may have it of some of its objects only", () => {
    const bare = folder.write("bare.c", C_SOURCE);
    execFileSync("gcc", ["-c", "-fPIC", "-O2", "-o", folder.join("bare.o"), bare]);
    const library = compile(folder, "mixed.so", CXX_SOURCE, "-g", folder.join("bare.o"));
    const { shown } = lookUp(library, returnsFrom(library, /malloc/));
    const source = folder.join("mixed.cc");
    expect(shown.sort()).toEqual([`app::grab ${source}:5 < app::Pool::fill ${source}:10`, "hidden -:0"]);
  });

  it("has no lines without addr2line, or where that takes too long", () => {
    const library = compile(folder, "lines.so", CXX_SOURCE, "-g");
    const addresses = returnsFrom(library, /malloc/);
    const { PATH } = process.env;
    const tools = folder.join("tools");
    mkdirSync(tools, { recursive: true });
    copyFileSync("/bin/sh", path.join(tools, "sh"));
    try {
      process.env.PATH = tools;
      expect(lookUp(library, addresses, new ModuleSymbols(), "wrong").problem).toMatch(/build id differs/);
      process.env.PATH = PATH;
      const id = buildId(library);
      process.env.PATH = tools;
      expect(lookUp(library, addresses, new ModuleSymbols(), id)).toEqual({ shown: ["app::Pool::fill -:0"] });
      writeSlowAddr2line(tools);
      process.env.PATH = `${tools}:${PATH}`;
      expect(lookUp(library, addresses, new ModuleSymbols({ timeLimitMs: 300 }), id)).toEqual({
        shown: ["app::Pool::fill -:0"],
        shortcoming: `addr2line takes too long for ${library}: its frames have no lines.`,
      });
    } finally {
      process.env.PATH = PATH;
    }
  });

  it("may have it in a file of its own, found by build id", () => {
    const library = compile(folder, "split.so", CXX_SOURCE, "-g");
    const addresses = returnsFrom(library, /malloc/);
    const id = buildId(library);
    const debugFolder = folder.join("debug");
    const debugFile = path.join(debugFolder, ".build-id", id.slice(0, 2), `${id.slice(2)}.debug`);
    mkdirSync(path.dirname(debugFile), { recursive: true });
    execFileSync("objcopy", ["--only-keep-debug", library, debugFile]);
    execFileSync("strip", ["-s", library]);
    const source = folder.join("split.cc");
    const whole = { shown: [`app::grab ${source}:5 < app::Pool::fill ${source}:10`] };
    expect(lookUp(library, addresses, new ModuleSymbols({ debugFolder }))).toEqual(whole);
    expect(lookUp(library, addresses)).not.toEqual(whole);
    // Another build's is of no use.
    const other = compile(folder, "other.so", CXX_SOURCE, "-g", "-DOTHER");
    const otherId = buildId(other);
    const wrongPlace = path.join(debugFolder, ".build-id", otherId.slice(0, 2), `${otherId.slice(2)}.debug`);
    mkdirSync(path.dirname(wrongPlace), { recursive: true });
    renameSync(debugFile, wrongPlace);
    execFileSync("strip", ["-s", other]);
    expect(lookUp(other, addresses, new ModuleSymbols({ debugFolder }))).toEqual(lookUp(other, addresses));
  });
});

function writeSlowAddr2line(tools: string): void {
  folder.write("tools/addr2line", "#!/bin/sh\nexec sleep 20\n");
  chmodSync(path.join(tools, "addr2line"), 0o755);
}

describe("a library with a symbol table", () => {
  it("has functions, static ones included, and names nothing that lies between them", () => {
    const library = compile(folder, "c.so", C_SOURCE);
    const functions = functionsOf(library);
    const at = (name: string, offset: number) => (functions.get(name)?.start ?? 0) + offset;
    const size = functions.get("sized")?.size ?? 0;
    const [inHidden = 0] = returnsFrom(library, /malloc/);
    const addresses = [
      inHidden,
      at("exported", 1),
      at("exported", functions.get("exported")?.size ?? 0),
      // A symbol without a size goes on until the next one.
      at("label_without_size", 3),
      at("sized", 1),
      at("sized", size),
      at("sized", size + 2),
      1,
      2 ** 40,
    ];
    expect(size).toBe(2);
    expect(lookUp(library, addresses).shown).toEqual([
      "hidden -:0",
      "exported -:0",
      "exported -:0",
      "label_without_size -:0",
      "sized -:0",
      "sized -:0",
      "",
      "",
      "",
    ]);
  });

  it("has its exports when it was stripped", () => {
    const library = compile(folder, "stripped.so", C_SOURCE, "-s");
    const start = functionsOf(library).get("exported")?.start ?? 0;
    const [inHidden = 0] = returnsFrom(library, /malloc/);
    expect(lookUp(library, [start + 1, inHidden]).shown).toEqual(["exported -:0", ""]);
  });

  it("agrees with nm on node itself", () => {
    const library = process.execPath;
    const table = [...functionsOf(library)];
    const all = table.filter(([name, { size }]) => size > 8 && /^(_ZN4node|napi_|uv_)/.test(name));
    const some = all.filter((_, i) => i % Math.ceil(all.length / 300) === 0);
    expect(some.length).toBeGreaterThan(200);
    const aliases = new Map<number, string[]>(some.map(([, { start }]) => [start, []]));
    for (const [name, { start }] of table) aliases.get(start)?.push(name);
    const symbols = new ModuleSymbols();
    const addresses = some.map(([, { start }]) => start + 5);
    const { functions } = symbols.lookUp({ path: library, buildId: buildId(library) }, addresses);
    // Node's C parts have lines, and inlined functions first.
    const found = addresses.map((address) => functions.get(address)?.at(-1)?.name ?? "");
    const wrong = some.filter(([, { start }], i) => {
      return !aliases.get(start)?.some((name) => symbols.readable(name) === found[i]);
    });
    expect(wrong).toEqual([]);
  });
});

describe("a file that is not the one that was loaded", () => {
  it("names nothing", () => {
    const library = compile(folder, "replaced.so", C_SOURCE);
    const [address = 0] = returnsFrom(library, /malloc/);
    const loaded = buildId(library);
    compile(folder, "replaced.so", `${C_SOURCE}\nint more;`);
    expect(buildId(library)).not.toBe(loaded);
    expect(lookUp(library, [address], new ModuleSymbols(), loaded)).toEqual({
      shown: [""],
      problem: `${library} is not the file that was loaded (build id differs): its frames have no names.`,
    });
    expect(lookUp(library, [address], new ModuleSymbols(), "").problem).toContain("build id differs");
  });

  it("is missing, no regular file, or none at all", () => {
    const missing = folder.join("missing.so");
    const pipe = folder.join("pipe.so");
    execFileSync("mkfifo", [pipe]);
    for (const file of [missing, pipe, folder.path, "/dev/zero"]) {
      expect(lookUp(file, [5], new ModuleSymbols(), "00ff")).toEqual({
        shown: [""],
        problem: `${file} cannot be read here: its frames have no names.`,
      });
    }
    expect(lookUp("linux-vdso.so.1", [5], new ModuleSymbols(), "00ff")).toEqual({ shown: [""] });
  });

  it("may have no build id as long as none was recorded", () => {
    const library = compile(folder, "anonymous.so", C_SOURCE, "-Wl,--build-id=none");
    const [address = 0] = returnsFrom(library, /malloc/);
    expect(lookUp(library, [address], new ModuleSymbols(), "")).toEqual({ shown: ["hidden -:0"] });
  });
});

describe("a hostile file", () => {
  const addresses = [0, 1, 0x1100, 0x1150, 0x2000, 2 ** 47, 2 ** 53, 2 ** 63];

  it("gives no more than no symbols, wherever it was cut or damaged", () => {
    const library = compile(folder, "whole.so", C_SOURCE, "-g");
    const bytes = readFileSync(library);
    const id = buildId(library);
    const damaged = folder.join("damaged.so");
    const symbols = () => new ModuleSymbols({ timeLimitMs: 2000 });
    for (let length = 0; length < bytes.length; length += 1 + (bytes.length >> 5)) {
      copyFileSync(library, damaged);
      truncateSync(damaged, length);
      lookUp(damaged, addresses, symbols(), id);
      lookUp(damaged, addresses, symbols(), "");
    }
    const header = fc.tuple(fc.integer({ min: 4, max: 63 }), fc.integer({ min: 0, max: 255 }));
    const anywhere = fc.tuple(fc.integer({ min: 0, max: bytes.length - 1 }), fc.integer({ min: 0, max: 255 }));
    // The section headers are at the end.
    const sections = fc.tuple(
      fc.integer({ min: bytes.length - 40 * 64, max: bytes.length - 1 }),
      fc.integer({ min: 0, max: 255 }),
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(header, anywhere, sections), { minLength: 1, maxLength: 8 }), (edits) => {
        const copy = Buffer.from(bytes);
        for (const [at, value] of edits) copy[at] = value;
        folder.write("damaged.so", copy);
        lookUp(damaged, addresses, symbols(), id);
      }),
      { numRuns: 60 },
    );
  });

  it("is not read as far as its headers claim", () => {
    const library = compile(folder, "absurd.so", C_SOURCE, "-s");
    const bytes = readFileSync(library);
    const id = buildId(library);
    const table = Number(bytes.readBigUInt64LE(0x28));
    const count = bytes.readUInt16LE(0x3c);
    const before = process.memoryUsage();
    for (const claim of [2n ** 64n - 1n, 2n ** 63n, 2n ** 40n, BigInt(bytes.length)]) {
      for (const field of [0x10, 0x18, 0x20]) {
        const copy = Buffer.from(bytes);
        for (let section = 0; section < count; section++) copy.writeBigUInt64LE(claim, table + section * 64 + field);
        lookUp(folder.write("absurd.so", copy), addresses, new ModuleSymbols(), id);
      }
    }
    const counts = Buffer.from(bytes);
    counts.writeUInt16LE(0, 0x3c);
    counts.writeBigUInt64LE(2n ** 62n, table + 0x20);
    lookUp(folder.write("absurd.so", counts), addresses, new ModuleSymbols(), id);
    expect(process.memoryUsage().arrayBuffers - before.arrayBuffers).toBeLessThan(64 * 1024 * 1024);
  });

  it("is noise", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), (noise) => {
        const file = folder.write("noise.so", Buffer.concat([Buffer.from("\x7fELF\x02\x01\x01", "latin1"), noise]));
        expect(lookUp(file, [1, 0x1000], new ModuleSymbols(), "").shown).toEqual(["", ""]);
      }),
      { numRuns: 200 },
    );
  });
});
