import { spawnSync } from "node:child_process";
import { readFileSync, renameSync } from "node:fs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { FileReader } from "../../src/analysis/file-reader.js";
import { ModuleSymbols } from "../../src/symbols/module-symbols.js";
import { type Folder, temporaryFolder } from "../support/heapray.js";
import { buildId, C_SOURCE, CXX_SOURCE, compile, functionsOf, returnsFrom } from "../symbols/library.js";
import { testProgram } from "./test-programs.js";

// What the agent embeds, against what the reader finds in the same files.

let folder: Folder;
beforeAll(() => {
  folder = temporaryFolder();
});
afterAll(() => folder.remove());

interface Wanted {
  readonly library: string;
  readonly id?: string;
  readonly addresses: readonly number[];
}

/** The capture that the agent writes for these frames (native/test/symbols_driver.cc). */
function embed(...wanted: Wanted[]): string {
  const capture = folder.join("symbols.bin");
  const modules = wanted.flatMap(({ library, id = buildId(library), addresses }) => [
    library,
    id || "-",
    ...addresses.map(String),
    ",",
  ]);
  const ended = spawnSync(testProgram("symbols_driver"), [capture, ...modules], { encoding: "utf8" });
  expect(ended).toMatchObject({ status: 0, stderr: "" });
  return capture;
}

/** The functions of a capture's frames, and the reader's warnings. */
function namesOf(capture: string, nativeSymbols = new ModuleSymbols()) {
  using reader = new FileReader(capture, { nativeSymbols });
  const names = [...reader.getLeakedAllocationRecords()].map((record) => record.stackTrace()[0]?.function);
  return { names, warnings: reader.warnings };
}

/** A machine without the modules. */
class Elsewhere extends ModuleSymbols {
  override lookUp() {
    return { functions: new Map() };
  }
}

it("names frames as the reader does where the modules are", () => {
  const c = compile(folder, "c.so", C_SOURCE);
  const cxx = compile(folder, "cxx.so", CXX_SOURCE);
  const stripped = compile(folder, "stripped.so", C_SOURCE, "-s");
  const label = functionsOf(c).get("label_without_size")?.start ?? 0;
  const addresses = [...returnsFrom(c, /call/), label + 2, label + 5, label + 7, label + 9, 1, 0, 2 ** 47];
  const capture = embed(
    { library: c, addresses },
    { library: cxx, addresses: returnsFrom(cxx, /call/) },
    { library: stripped, addresses },
    { library: process.execPath, addresses: someOf(process.execPath) },
  );
  const { names } = namesOf(capture, new Elsewhere());
  expect(names).toEqual(namesOf(capture).names);
  expect(names).toEqual(
    expect.arrayContaining(["hidden", "exported", "label_without_size", "sized", "app::Pool::fill"]),
  );
  expect(names.filter((name) => name?.startsWith("node::")).length).toBeGreaterThan(20);
});

/** Addresses within functions of C++, which have no lines in node's own file. */
function someOf(library: string): number[] {
  const all = [...functionsOf(library)].filter(([name, { size }]) => name.startsWith("_ZN4node") && size > 8);
  return all.filter((_, i) => i % Math.ceil(all.length / 100) === 0).map(([, { start }]) => start + 8);
}

it("names nothing of a file that is not the one that was loaded, or is none", () => {
  const library = compile(folder, "loaded.so", C_SOURCE);
  const id = buildId(library);
  const addresses = returnsFrom(library, /malloc/);
  compile(folder, "loaded.so", `${C_SOURCE}\nint more;`);
  expect(buildId(library)).not.toBe(id);
  const bytes = readFileSync(library);
  const cut = folder.write("cut.so", bytes.subarray(0, bytes.length / 2));
  const noise = folder.write("noise.so", Buffer.concat([bytes.subarray(0, 64), Buffer.alloc(4096, 0xff)]));
  const wanted = [library, cut, noise, "/dev/zero", folder.path, folder.join("missing.so"), "linux-vdso.so.1"];
  const { names } = namesOf(embed(...wanted.map((file) => ({ library: file, id, addresses }))), new Elsewhere());
  const address = `0x${addresses[0]?.toString(16)} in `;
  expect(names).toEqual(wanted.map((file) => `${address}${file.slice(file.lastIndexOf("/") + 1)}`));
});

it("lets a capture travel: its names stand in where the module is another one, without a warning", () => {
  const library = compile(folder, "travels.so", CXX_SOURCE, "-g");
  const addresses = returnsFrom(library, /malloc/);
  const capture = embed({ library, addresses });
  expect(namesOf(capture).names).toEqual([expect.stringMatching(/app::grab|<inlined>/)]);
  renameSync(library, folder.join("gone.so"));
  expect(namesOf(capture)).toEqual({ names: ["app::Pool::fill"], warnings: [] });
  compile(folder, "travels.so", C_SOURCE);
  expect(namesOf(capture)).toEqual({ names: ["app::Pool::fill"], warnings: [] });
});
