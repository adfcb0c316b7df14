/**
 * A flame graph as bytes: a header and columns, packed as column-codec.ts tells. `coded` below says which columns hold
 * something else than their numbers.
 *
 * Optional tables have a field of their own in the header, and their columns at the end; without the field there are none.
 * So a graph without them is written as it was before they came, and the version stays.
 * - `comparison`: bytes and allocations before, a row for each weight.
 */
import { differences, packColumns, sums, unpackColumns } from "./column-codec.js";
import type { Comparison, FlameGraphData, ReportKind, ReportMetadata } from "./flamegraph-data.js";
import { frameColumns, readFrames } from "./frame-columns.js";
import { readTemporal, type TemporalHeader, temporalColumns, temporalHeader } from "./temporal-codec.js";

const VERSION = 1;

interface Header {
  readonly version: number;
  readonly kind: ReportKind;
  readonly inverted: boolean;
  readonly metadata: ReportMetadata;
  readonly strings: readonly string[];
  readonly threads: readonly string[];
  readonly frames: number;
  readonly nodes: number;
  readonly weights: number;
  readonly snapshots: number;
  readonly comparison?: Pick<Comparison, "before" | "after" | "by">;
  readonly temporal?: TemporalHeader;
}

export function encodeFlameGraph(data: FlameGraphData): Uint8Array {
  const { frames, nodes, weights, snapshots, comparison, temporal } = data;
  const header: Header = {
    version: VERSION,
    kind: data.kind,
    inverted: data.inverted,
    metadata: data.metadata,
    strings: data.strings,
    threads: data.threads,
    frames: frames.function.length,
    nodes: nodes.frame.length,
    weights: weights.node.length,
    snapshots: snapshots.timeMs.length,
    ...(comparison && { comparison: { before: comparison.before, after: comparison.after, by: comparison.by } }),
    ...(temporal && { temporal: temporalHeader(temporal) }),
  };
  return packColumns(header, [
    ...frameColumns(frames),
    climbs(nodes.parent),
    novelties(nodes.frame),
    differences(weights.node),
    weights.thread,
    weights.kind,
    weights.bytes,
    weights.allocations,
    differences(snapshots.timeMs),
    differences(snapshots.rss),
    differences(snapshots.heapUsed),
    differences(snapshots.tracked),
    ...(comparison ? [comparison.bytes, comparison.allocations] : []),
    ...(temporal ? temporalColumns(temporal) : []),
  ]);
}

/** @throws Error when the bytes are not what `encodeFlameGraph` writes. */
export function decodeFlameGraph(bytes: Uint8Array): FlameGraphData {
  const { header, next: column } = unpackColumns<Header>(bytes, VERSION);
  return {
    kind: header.kind,
    inverted: header.inverted,
    metadata: header.metadata,
    strings: header.strings,
    threads: header.threads,
    frames: readFrames(header.frames, column),
    nodes: { parent: parents(column(header.nodes)), frame: known(column(header.nodes)) },
    weights: {
      node: new Uint32Array(sums(column(header.weights))),
      thread: new Uint32Array(column(header.weights)),
      kind: new Uint8Array(column(header.weights)),
      bytes: column(header.weights),
      allocations: column(header.weights),
    },
    snapshots: {
      timeMs: sums(column(header.snapshots)),
      rss: sums(column(header.snapshots)),
      heapUsed: sums(column(header.snapshots)),
      tracked: sums(column(header.snapshots)),
    },
    ...(header.comparison && {
      comparison: { ...header.comparison, bytes: column(header.weights), allocations: column(header.weights) },
    }),
    ...(header.temporal && { temporal: readTemporal(header.temporal, header.weights, column) }),
  };
}

/** coded: how many levels to climb from the row before to the parent; 0 where that row is the parent. */
function climbs(parent: Int32Array): Uint32Array {
  const depth = new Uint32Array(parent.length);
  const out = new Uint32Array(parent.length);
  for (let i = 1; i < parent.length; i++) {
    depth[i] = (depth[parent[i] as number] as number) + 1;
    out[i] = (depth[i - 1] as number) + 1 - (depth[i] as number);
  }
  return out;
}

function parents(climb: Float64Array): Int32Array {
  const out = new Int32Array(climb.length).fill(-1);
  for (let i = 1; i < climb.length; i++) {
    let parent = i - 1;
    for (let n = climb[i] as number; n > 0; n--) {
      parent = out[parent] as number;
      if (parent < 0) throw new Error("the report's call tree is damaged");
    }
    out[i] = parent;
  }
  return out;
}

/** coded: how far behind the newest frame; 0 is a frame not seen before. Frames are numbered by first appearance. */
function novelties(frame: Uint32Array): Uint32Array {
  const out = new Uint32Array(frame.length);
  let next = 0;
  for (let i = 0; i < frame.length; i++) {
    const value = frame[i] as number;
    out[i] = next - value;
    if (value === next) next++;
  }
  return out;
}

function known(coded: Float64Array): Uint32Array {
  const out = new Uint32Array(coded.length);
  let next = 0;
  for (let i = 0; i < coded.length; i++) {
    const code = coded[i] as number;
    if (code > next) throw new Error("the report's call tree is damaged");
    out[i] = next - code;
    if (code === 0) next++;
  }
  return out;
}
