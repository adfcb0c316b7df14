import { CaptureReader } from "../../src/analysis/capture-reader.js";
import { gunzip } from "../../src/analysis/file-reader.js";
import { growthOf } from "../../src/analysis/growth.js";
import { MemoryByteSource } from "../../src/capture/byte-source.js";
import { CaptureError } from "../../src/capture/errors.js";
import { openCapture, openWalk } from "../../src/capture/open-capture.js";
import { allocationTree } from "../../src/reporters/allocation-tree.js";
import { writeCollapsed } from "../../src/reporters/collapsed.js";
import { writeCsv } from "../../src/reporters/csv.js";
import { diffText } from "../../src/reporters/diff.js";
import { flameGraphData } from "../../src/reporters/flamegraph.js";
import { decodeFlameGraph, encodeFlameGraph } from "../../src/reporters/flamegraph-codec.js";
import { DiffGraph } from "../../src/reporters/flamegraph-diff.js";
import { writeGprof2dot } from "../../src/reporters/gprof2dot.js";
import { writeHeapProfile } from "../../src/reporters/heap-profile.js";
import { PLAIN } from "../../src/reporters/paint.js";
import { writeAllocationsParquet, writeSnapshotsParquet } from "../../src/reporters/parquet.js";
import { parsedLines } from "../../src/reporters/parse.js";
import { writePprof } from "../../src/reporters/pprof.js";
import { writeSpeedscope } from "../../src/reporters/speedscope.js";
import { statsJson } from "../../src/reporters/stats-json.js";
import { statsText } from "../../src/reporters/stats-text.js";
import { renderSummary, summarize } from "../../src/reporters/summary.js";
import { tableData } from "../../src/reporters/table.js";
import { decodeTable, encodeTable } from "../../src/reporters/table-codec.js";
import { temporalFlameGraphData } from "../../src/reporters/temporal-flamegraph.js";
import { treeJson } from "../../src/reporters/tree-json.js";
import { treeText } from "../../src/reporters/tree-text.js";

const nothing = () => {};
const options = { mergeThreads: false };

/** What each report does with a capture's reader. */
const REPORTS: Readonly<Record<string, (reader: CaptureReader) => unknown>> = {
  flamegraph: (reader) => {
    const records = reader.getHighWatermarkAllocationRecords(options);
    const { metadata } = reader;
    const data = flameGraphData({ records, snapshots: reader.getMemorySnapshots(), metadata, kind: "high-water-mark" });
    return decodeFlameGraph(encodeFlameGraph(data));
  },
  temporalFlamegraph: (reader) => {
    const data = temporalFlameGraphData({
      highWaterMarks: () => reader.getTemporalHighWaterMarkAllocationRecords(options),
      leaks: () => reader.getTemporalAllocationRecords(options),
      snapshots: () => reader.getMemorySnapshots(),
      metadata: reader.metadata,
      kind: "high-water-mark",
    });
    return decodeFlameGraph(encodeFlameGraph(data));
  },
  table: (reader) => {
    const records = reader.getHighWatermarkAllocationRecords(options);
    return decodeTable(encodeTable(tableData({ records, metadata: reader.metadata, kind: "high-water-mark" })));
  },
  tree: (reader) => {
    const tree = allocationTree(reader.getHighWatermarkAllocationRecords(options), 200);
    return [...treeText(tree, "/"), ...treeJson(tree, "high-water-mark")];
  },
  differentialFlamegraph: (reader) => {
    const { metadata } = reader;
    const side = { what: "", cwd: metadata.cwd };
    const graph = new DiffGraph({ before: side, after: side, by: "line", metadata, kind: "leaks" });
    for (const _ of graph.adding("before", reader.getHighWatermarkAllocationRecords(options)));
    for (const _ of graph.adding("after", reader.getLeakedAllocationRecords(options)));
    return decodeFlameGraph(encodeFlameGraph(graph.finish(reader.getMemorySnapshots())));
  },
  csv: (reader) => writeCsv(reader.getLeakedAllocationRecords(), nothing),
  gprof2dot: (reader) => writeGprof2dot(reader.getHighWatermarkAllocationRecords(options), nothing),
  speedscope: (reader) => {
    const records = reader.getHighWatermarkAllocationRecords(options);
    writeSpeedscope({ records, metadata: reader.metadata }, nothing);
  },
  pprof: (reader) => {
    const records = reader.getHighWatermarkAllocationRecords(options);
    writePprof({ records, kind: "high-water-mark", metadata: reader.metadata }, nothing);
  },
  collapsed: (reader) => writeCollapsed(reader.getHighWatermarkAllocationRecords(options), nothing),
  heapprofile: (reader) => writeHeapProfile(reader.getHighWatermarkAllocationRecords(options), nothing),
  parquet: (reader) => {
    writeAllocationsParquet(reader.getHighWatermarkAllocationRecords(options), reader.metadata, nothing);
    writeSnapshotsParquet(reader.getMemorySnapshots(), reader.metadata, nothing);
  },
  summary: (reader) => {
    const records = reader.getHighWatermarkAllocationRecords(options);
    return renderSummary(summarize({ records, metadata: reader.metadata, kind: "high-water-mark", top: 5 }), "/");
  },
  stats: (reader) => {
    const statistics = reader.getStatistics();
    statsJson(statistics, reader.metadata);
    return statsText(statistics, reader.metadata, { cwd: "/", paint: PLAIN });
  },
  temporary: (reader) => writeCsv(reader.getTemporaryAllocationRecords(), nothing),
  temporal: (reader) => [
    ...reader.getTemporalAllocationRecords(),
    ...reader.getTemporalHighWaterMarkAllocationRecords(),
  ],
  diff: (reader) => {
    const [records = []] = reader.getLiveAllocationRecordsAt([5], options);
    const { cwd } = reader.metadata;
    const growth = growthOf({ records, cwd }, { records: reader.getLeakedAllocationRecords(options), cwd });
    return diffText(growth, { before: "", after: "", by: "line", top: 9, paint: PLAIN });
  },
};

/** The reports' names; `parse` reads a capture in a way of its own. */
export const REPORT_NAMES: readonly string[] = [...Object.keys(REPORTS), "parse"];

/**
 * Makes a report of a capture. Returns the sentence with which it was refused, or undefined.
 * @throws whatever is no CaptureError
 */
export function refusal(report: string, bytes: Uint8Array): string | undefined {
  try {
    if (report === "parse") {
      const walk = openWalk(new MemoryByteSource(bytes, "test.bin"), { gunzip });
      for (const _ of parsedLines(walk));
      return undefined;
    }
    const open = (onRead: (bytesRead: number) => void) =>
      openCapture(new MemoryByteSource(bytes, "test.bin"), { gunzip, onRead });
    REPORTS[report]?.(new CaptureReader("test.bin", bytes.length, open));
    return undefined;
  } catch (error) {
    if (error instanceof CaptureError) return error.message;
    throw error;
  }
}
