import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { FileReader } from "../../src/analysis/file-reader.js";
import { originOf } from "../../src/analysis/frame-origin.js";
import { isPymalloc } from "../../src/capture/allocators.js";
import { flameGraphData } from "../../src/reporters/flamegraph.js";
import { Category } from "../../src/reporters/flamegraph-data.js";
import { summarize } from "../../src/reporters/summary.js";
import { root, temporaryFolder } from "../support/heapray.js";
import { pythons, withHeapray } from "../support/pythons.js";

const programs = path.join(root, "test/python/programs");
const program = path.join(programs, "reports.py");

function lineOf(mark: string): number {
  return (
    1 +
    readFileSync(program, "utf8")
      .split("\n")
      .findIndex((line) => line.includes(`@${mark}`))
  );
}

describe.each(pythons)("what is recorded on $name", (python) => {
  let binary = "";
  beforeAll(() => {
    binary = withHeapray(python);
  }, 600_000);

  /** Runs the program, beside a package of its own, and opens what it recorded. */
  function record(run: readonly string[], ...options: string[]): { reader: FileReader; site: string } {
    const folder = temporaryFolder();
    onTestFinished(folder.remove);
    const site = folder.join("site-packages");
    mkdirSync(path.join(site, "lodge"), { recursive: true });
    writeFileSync(path.join(site, "lodge/__init__.py"), "def fill(n):\n    return bytearray(n)\n");
    const { status, stderr } = spawnSync(binary, [...run, folder.join("out.bin"), ...options], {
      cwd: programs,
      encoding: "utf8",
      env: { ...process.env, PYTHONPATH: site, PYTHONDONTWRITEBYTECODE: "1" },
    });
    expect(status, stderr).toBe(0);
    const reader = new FileReader(folder.join("out.bin"));
    onTestFinished(() => reader.close());
    return { reader, site };
  }

  test.each(["", "pymalloc", "native", "native pymalloc"])("has whose code each frame is: %s", (options) => {
    const { reader, site } = record([program], ...options.split(" "));
    const origins = new Map<string, string>();
    for (const each of reader.getAllocationRecords()) {
      for (const frame of each.stackTrace()) if (!frame.native) origins.set(frame.file, originOf(frame));
    }
    expect(origins.get(program)).toBe("program");
    expect(origins.get("<string>")).toBe("program");
    expect(origins.get(path.join(site, "lodge/__init__.py"))).toBe("dependency");
    const others = [...origins].filter(
      ([file]) => !file.startsWith(programs) && !file.startsWith(site) && file !== "<string>",
    );
    expect(others.length).toBeGreaterThan(3);
    expect(others.filter(([, origin]) => origin !== "internal")).toEqual([]);
  });

  test.each(["", "pymalloc"])("has the program's lines answer: %s", (options) => {
    const { reader } = record([program], ...options.split(" "));
    const records = [...reader.getHighWatermarkAllocationRecords({ mergeThreads: false })];
    const { lines, pythonBytes } = summarize({ records, metadata: reader.metadata, kind: "high-water-mark", top: 20 });
    const held = (file: string, line: number) =>
      lines.find((one) => one.file === file && one.line === line)?.bytes ?? 0;
    expect(held(program, lineOf("rows"))).toBeGreaterThanOrEqual(4_000_037);
    expect(held(program, lineOf("thread"))).toBeGreaterThanOrEqual(3_000_011);
    expect(held("<string>", 1)).toBeGreaterThanOrEqual(1_000_003);
    expect(held(program, lineOf("json"))).toBeGreaterThan(3_000_000);
    const pymalloc = records.filter((one) => isPymalloc(one.allocator)).reduce((sum, one) => sum + one.size, 0);
    expect(pythonBytes).toBe(pymalloc);
    expect(pymalloc > 10_000_000).toBe(options.includes("pymalloc"));
    expect(records.find((one) => one.stackTrace()[0]?.line === lineOf("thread"))?.threadName).toBe("worker");
    const nameless = lines.filter(({ file }) => file === "").map((line) => line.function);
    expect(nameless.filter((name) => !name.endsWith(", no Python"))).toEqual([]);
  });

  test("leaves out what runs a module, and shows the source", () => {
    const { reader } = record(["-m", "reports"]);
    const data = flameGraphData({
      records: reader.getHighWatermarkAllocationRecords(),
      snapshots: reader.getMemorySnapshots(),
      metadata: reader.metadata,
      kind: "high-water-mark",
      sourceLine: (file, line) => reader.sourceText.line(file, line),
    });
    const { frames, nodes, strings } = data;
    const roots = new Set<string>();
    nodes.parent.forEach((parent, node) => {
      if (parent === 0) roots.add(strings[frames.file[nodes.frame[node] as number] as number] as string);
    });
    expect([...roots].filter((file) => file.includes("runpy"))).toEqual([]);
    expect(roots).toContain(program);
    const row = frames.line.findIndex((line, i) => line === lineOf("rows") && frames.category[i] === Category.PROGRAM);
    expect(strings[frames.source[row] as number]).toBe("self.rows = bytearray(size)  # @rows");
    expect(reader.getResidentMemory()?.v8HeapUsed ?? 0).toBe(0);
  });
});
