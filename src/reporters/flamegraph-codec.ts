/**
 * The bytes between reporter and page (gzip and base64 come on top): little-endian u32 length of a JSON header, the
 * header, then the columns, one after the other. A column is a run of unsigned LEB128 varints, at most 2^53 - 1 each;
 * `coded` below says which columns hold differences. Free of node and DOM, so that both sides share it.
 */
import type { FlameGraphData, FlameGraphKind, FlameGraphMetadata } from "./flamegraph-data.js";

const VERSION = 1;

interface Header {
  readonly version: number;
  readonly kind: FlameGraphKind;
  readonly metadata: FlameGraphMetadata;
  readonly strings: readonly string[];
  readonly threads: readonly string[];
  readonly frames: number;
  readonly nodes: number;
  readonly weights: number;
  readonly snapshots: number;
  /** Bytes of each column, in the order in which `encodeFlameGraph` writes them. */
  readonly columns: readonly number[];
}

export function encodeFlameGraph(data: FlameGraphData): Uint8Array {
  const { frames, nodes, weights, snapshots } = data;
  const columns = [
    varints(frames.function),
    varints(frames.file),
    varints(frames.line),
    varints(frames.column),
    varints(frames.category),
    varints(frames.source),
    varints(climbs(nodes.parent)),
    varints(novelties(nodes.frame)),
    varints(differences(weights.node)),
    varints(weights.thread),
    varints(weights.kind),
    varints(weights.bytes),
    varints(weights.allocations),
    varints(differences(snapshots.timeMs)),
    varints(differences(snapshots.rss)),
    varints(differences(snapshots.heapUsed)),
    varints(differences(snapshots.tracked)),
  ];
  const header: Header = {
    version: VERSION,
    kind: data.kind,
    metadata: data.metadata,
    strings: data.strings,
    threads: data.threads,
    frames: frames.function.length,
    nodes: nodes.frame.length,
    weights: weights.node.length,
    snapshots: snapshots.timeMs.length,
    columns: columns.map((column) => column.length),
  };
  const json = new TextEncoder().encode(JSON.stringify(header));
  const bytes = new Uint8Array(columns.reduce((sum, column) => sum + column.length, 4 + json.length));
  new DataView(bytes.buffer).setUint32(0, json.length, true);
  bytes.set(json, 4);
  let offset = 4 + json.length;
  for (const column of columns) {
    bytes.set(column, offset);
    offset += column.length;
  }
  return bytes;
}

/** @throws Error when the bytes are not what `encodeFlameGraph` writes. */
export function decodeFlameGraph(bytes: Uint8Array): FlameGraphData {
  if (bytes.length < 4) throw new Error("the report's data is empty");
  const headerLength = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  if (4 + headerLength > bytes.length) throw new Error("the report's data is cut short");
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + headerLength))) as Header;
  if (header.version !== VERSION) throw new Error(`the report's data has version ${header.version}, not ${VERSION}`);

  let offset = 4 + headerLength;
  let index = 0;
  const column = (count: number): Float64Array => {
    const length = header.columns[index++] ?? 0;
    if (count > length || offset + length > bytes.length) throw new Error("the report's data is cut short");
    const values = readVarints(bytes.subarray(offset, offset + length), count);
    offset += length;
    return values;
  };
  return {
    kind: header.kind,
    metadata: header.metadata,
    strings: header.strings,
    threads: header.threads,
    frames: {
      function: Uint32Array.from(column(header.frames)),
      file: Uint32Array.from(column(header.frames)),
      line: Uint32Array.from(column(header.frames)),
      column: Uint32Array.from(column(header.frames)),
      category: Uint8Array.from(column(header.frames)),
      source: Uint32Array.from(column(header.frames)),
    },
    nodes: { parent: parents(column(header.nodes)), frame: known(column(header.nodes)) },
    weights: {
      node: Uint32Array.from(sums(column(header.weights))),
      thread: Uint32Array.from(column(header.weights)),
      kind: Uint8Array.from(column(header.weights)),
      bytes: column(header.weights),
      allocations: column(header.weights),
    },
    snapshots: {
      timeMs: sums(column(header.snapshots)),
      rss: sums(column(header.snapshots)),
      heapUsed: sums(column(header.snapshots)),
      tracked: sums(column(header.snapshots)),
    },
  };
}

function varints(values: ArrayLike<number>): Uint8Array {
  let bytes = new Uint8Array(values.length * 2 + 16);
  let length = 0;
  for (let i = 0; i < values.length; i++) {
    if (length + 10 > bytes.length) {
      const larger = new Uint8Array(bytes.length * 2);
      larger.set(bytes);
      bytes = larger;
    }
    let value = values[i] as number;
    while (value >= 0x80) {
      bytes[length++] = (value % 0x80) | 0x80;
      value = Math.floor(value / 0x80);
    }
    bytes[length++] = value;
  }
  return bytes.subarray(0, length);
}

function readVarints(bytes: Uint8Array, count: number): Float64Array {
  const values = new Float64Array(count);
  let offset = 0;
  for (let i = 0; i < count; i++) {
    let value = 0;
    let factor = 1;
    let byte: number;
    do {
      if (offset === bytes.length) throw new Error("the report's data is cut short");
      byte = bytes[offset++] as number;
      value += (byte & 0x7f) * factor;
      factor *= 0x80;
    } while (byte >= 0x80);
    values[i] = value;
  }
  return values;
}

/** coded: the difference to the row before, with its sign in the lowest bit. */
function differences(values: ArrayLike<number>): Float64Array {
  const out = new Float64Array(values.length);
  let last = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    const difference = value - last;
    out[i] = difference >= 0 ? difference * 2 : -difference * 2 - 1;
    last = value;
  }
  return out;
}

function sums(coded: Float64Array): Float64Array {
  const out = new Float64Array(coded.length);
  let last = 0;
  for (let i = 0; i < coded.length; i++) {
    const code = coded[i] as number;
    last += code % 2 === 0 ? code / 2 : -(code + 1) / 2;
    out[i] = last;
  }
  return out;
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
