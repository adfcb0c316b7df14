import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CaptureReader } from "../../src/analysis/capture-reader.js";
import { FileReader } from "../../src/analysis/file-reader.js";
import { writeCsv } from "../../src/reporters/csv.js";
import { flameGraphData } from "../../src/reporters/flamegraph.js";
import { Category } from "../../src/reporters/flamegraph-data.js";
import { summarize } from "../../src/reporters/summary.js";
import { ModuleSymbols } from "../../src/symbols/module-symbols.js";
import type { NativeModule } from "../../src/symbols/native-symbols.js";
import { CaptureWriter } from "../support/capture-writer.js";
import { type Folder, heapray, temporaryFolder } from "../support/heapray.js";
import { readerOf } from "../support/memory-reader.js";
import { buildId, C_SOURCE, CXX_SOURCE, compile, returnsFrom } from "../symbols/library.js";

// Captures with native frames, in the reports.

let folder: Folder;
let library: string;
beforeAll(() => {
  folder = temporaryFolder();
  library = compile(folder, "addon.node", CXX_SOURCE, "-g");
});
afterAll(() => folder.remove());

/** JavaScript that calls an addon, a thread with native frames only, and one place in no module. */
function capture(id = buildId(library)): Uint8Array {
  const writer = new CaptureWriter().thread(1, 10, "MainThread").thread(2, 11, "pool");
  const addon = writer.module(library, id);
  const libc = writer.module(folder.join("libmissing.so.6"), "00ff");
  const [inStart = 0] = returnsFrom(library, /fill/);
  const [inPool = 0] = returnsFrom(library, /malloc/);
  const main = writer.stack("main@/app/main.ts:3:5", "load@/app/node_modules/addon/index.js:7:1");
  const start = writer.nativeFrame(addon, inStart);
  const inner = writer.nativeFrame(addon, inPool);
  const nowhere = writer.nativeFrame(0, 0x7f00_0000_1234);
  const missing = writer.nativeFrame(libc, 0x98765);
  const brought = writer.nativeFrame(libc, 0x5432);
  const never = writer.nativeFrame(addon, 5);
  const nodeInStart = writer.node(main, start);
  writer.switchTo(1).malloc(writer.node(nodeInStart, inner), 1000, 0x1000);
  writer.malloc(writer.node(nodeInStart, nowhere), 100, 0x2000);
  writer.malloc(writer.node(0, never), 50, 0x3000).free(0x3000);
  writer.switchTo(2).malloc(writer.node(writer.node(0, missing), brought), 10, 0x4000);
  return writer.symbol(brought, "_Znwm").trailer(1_700_000_000_100).finish();
}

function csv(reader: CaptureReader): string[] {
  let text = "";
  writeCsv(reader.getLeakedAllocationRecords(), (chunk) => {
    text += chunk;
  });
  return text
    .trim()
    .split("\r\n")
    .slice(1)
    .map((row) => row.split(",").at(-1) ?? "");
}

const JAVASCRIPT = "load;/app/node_modules/addon/index.js;7|main;/app/main.ts;3";

describe("native frames", () => {
  it("stand in the stack between and above those of JavaScript, with what is known of them", () => {
    const source = folder.join("addon.cc");
    using reader = readerOf(capture(), { nativeSymbols: new ModuleSymbols() });
    expect(csv(reader)).toEqual([
      `app::grab;${source};5|app::Pool::fill;${source};10|start;${source};17|${JAVASCRIPT}`,
      `0x7f0000001234;<native>;0|start;${source};17|${JAVASCRIPT}`,
      `operator new;${folder.join("libmissing.so.6")};0|0x98765 in libmissing.so.6;${folder.join("libmissing.so.6")};0`,
    ]);
    expect(reader.warnings).toEqual([
      `${folder.join("libmissing.so.6")} cannot be read here: its frames have no names.`,
    ]);
    const [first] = [...reader.getLeakedAllocationRecords()].map((record) => record.stackTrace());
    expect(first?.map((frame) => frame.native ?? false)).toEqual([true, true, true, false, false]);
    expect(first?.[2]).toMatchObject({ function: "start", file: source, line: 17, column: 0, native: true });
  });

  it("have the names that the capture brought along where there is nothing to look into", () => {
    using reader = readerOf(capture());
    expect(csv(reader)[2]).toMatch(/^_Znwm;.*libmissing\.so\.6;0\|0x98765 in libmissing\.so\.6;/);
    expect(reader.warnings).toEqual([]);
  });

  it("are looked up when they are shown, those of a module at once, and only once", () => {
    const lookUps: [string, number][] = [];
    class Counting extends ModuleSymbols {
      override lookUp(module: NativeModule, addresses: readonly number[]) {
        lookUps.push([module.path.slice(folder.path.length + 1), addresses.length]);
        return super.lookUp(module, addresses);
      }
    }
    using reader = readerOf(capture(), { nativeSymbols: new Counting() });
    const records = [...reader.getLeakedAllocationRecords()];
    expect(lookUps).toEqual([]);
    for (const record of records) record.stackTrace();
    for (const record of reader.getLeakedAllocationRecords()) record.stackTrace();
    // At the peak there is one more.
    for (const record of reader.getHighWatermarkAllocationRecords()) record.stackTrace();
    expect(lookUps).toEqual([
      ["addon.node", 2],
      ["libmissing.so.6", 2],
      ["addon.node", 1],
    ]);
    const shown = [...reader.getAllocationRecords()].map((record) => record.stackTrace()[0]?.function ?? "");
    expect(shown).toEqual(["app::grab", "0x7f0000001234", "0x5 in addon.node", "", "operator new"]);
  });

  it("are native in the flame graph, wherever their source is", () => {
    using reader = readerOf(capture(), { nativeSymbols: new ModuleSymbols() });
    const records = reader.getLeakedAllocationRecords();
    const { frames, strings } = flameGraphData({ records, snapshots: [], metadata: reader.metadata, kind: "leaks" });
    const categories = Object.fromEntries(
      Array.from(frames.function, (name, i) => [strings[name] ?? "", frames.category[i]] as const),
    );
    expect(categories).toEqual({
      "<root>": Category.ROOT,
      main: Category.PROGRAM,
      load: Category.DEPENDENCY,
      start: Category.NATIVE,
      "app::Pool::fill": Category.NATIVE,
      "app::grab": Category.NATIVE,
      "0x7f0000001234": Category.NATIVE,
      "0x98765 in libmissing.so.6": Category.NATIVE,
      "operator new": Category.NATIVE,
    });
  });

  it("do not answer for what the program's JavaScript asked for", () => {
    using reader = readerOf(capture(), { nativeSymbols: new ModuleSymbols() });
    const records = reader.getLeakedAllocationRecords({ mergeThreads: false });
    const { lines, programBytes } = summarize({ records, metadata: reader.metadata, kind: "leaks", top: 5 });
    expect(programBytes).toBe(1100);
    expect(lines).toEqual([
      { function: "main", file: "/app/main.ts", line: 3, bytes: 1100, allocations: 2, totalBytes: 1100 },
      {
        function: "0x98765 in libmissing.so.6",
        file: folder.join("libmissing.so.6"),
        line: 0,
        bytes: 10,
        allocations: 1,
        totalBytes: 10,
      },
    ]);
  });
});

describe("the command line", () => {
  it("says once that a module is not the one that was loaded", () => {
    const file = folder.write("other.bin", capture(buildId(compile(folder, "other.so", C_SOURCE))));
    const warning =
      `heapray: ${library} is not the file that was loaded (build id differs): its frames have no names.\n` +
      `heapray: ${folder.join("libmissing.so.6")} cannot be read here: its frames have no names.\n`;
    const summary = heapray(["summary", "--leaks", file], { cwd: folder.path });
    expect(summary).toMatchObject({ status: 0, stderr: warning });
    expect(summary.stdout).toContain("/app/main.ts:3  main");
    const table = heapray(["transform", "csv", "--leaks", file], { cwd: folder.path });
    expect(table).toMatchObject({ status: 0, stderr: warning });
    using reader = new FileReader(file);
    expect(csv(reader)[0]).toMatch(/^0x[0-9a-f]+ in addon\.node;.*addon\.node;0\|0x[0-9a-f]+ in addon\.node;/);
  });
});
