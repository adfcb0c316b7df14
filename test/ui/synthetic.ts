import type { AllocationRecord, Frame, MemorySnapshot, Metadata } from "../../src/capture/records.js";
import { AllocatorType } from "../../src/capture/wire.js";
import type { FlameGraphData } from "../../src/reporters/flamegraph-data.js";

/** Makes records and captures by hand, for tests of what is drawn from them. */

export function frame(name: string, file: string, line: number, column = 1): Frame {
  return { function: name, file, line, column };
}

export interface RecordFields {
  readonly size: number;
  /** Outermost first, as one reads a call path. */
  readonly path: readonly Frame[];
  readonly nAllocations?: number;
  readonly allocator?: AllocatorType;
  readonly threadName?: string;
  readonly tid?: number;
}

let nextStack = 1;

export function record(fields: RecordFields): AllocationRecord {
  const frames = [...fields.path].reverse();
  return {
    tid: fields.tid ?? 1,
    threadName: fields.threadName ?? "main",
    address: 0,
    size: fields.size,
    allocator: fields.allocator ?? AllocatorType.MALLOC,
    stackId: frames.length === 0 ? 0 : nextStack++,
    nAllocations: fields.nAllocations ?? 1,
    stackTrace: (maxStacks) => frames.slice(0, maxStacks),
  };
}

export function metadata(fields: Partial<Metadata> = {}): Metadata {
  return {
    pid: 4711,
    mainThreadId: 4711,
    commandLine: ["/usr/bin/node", "/home/ada/catalog/src/import.ts", "--input", "data/products.csv"],
    cwd: "/home/ada/catalog",
    runtime: { name: "node", version: "v24.21.0" },
    arch: "x64",
    platform: "linux",
    startTimeMs: 1_790_000_000_000,
    endTimeMs: 1_790_000_012_431,
    heaprayVersion: "0.1.0",
    options: {},
    complete: true,
    totalAllocations: 0,
    peakMemory: 0,
    hasNativeTraces: false,
    traceJsHeap: false,
    tracePythonAllocators: false,
    fileFormat: "ALL_ALLOCATIONS",
    ...fields,
  };
}

/** Mulberry32: the same numbers on every run. */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export interface Capture {
  readonly records: readonly AllocationRecord[];
  readonly snapshots: readonly MemorySnapshot[];
  readonly metadata: Metadata;
}

/**
 * A capture that looks like a real program's: an import of products with thumbnails and a search index, whose call tree
 * has about `nodes` nodes. The same for the same arguments.
 */
export function syntheticCapture(nodes: number, seed = 7): Capture {
  const random = randomNumbers(seed);
  const places = catalogue(random, nodes);
  const records: AllocationRecord[] = [];
  const seen = new Set<string>();
  while (seen.size < nodes) {
    const path = callPath(random, places, nodes);
    const kinds: [AllocatorType, string][] = [
      [AllocatorType.MALLOC, "main"],
      [AllocatorType.MALLOC, "main"],
      [AllocatorType.HEAP_PAGES, "main"],
      [AllocatorType.CALLOC, "indexer"],
    ];
    const [allocator, threadName] = kinds[Math.floor(random() * kinds.length)] as [AllocatorType, string];
    const count = 1 + Math.floor(random() ** 4 * 900);
    const size = Math.ceil(count * 16 * 2 ** (random() * 11));
    records.push(
      record({ path, size, nAllocations: count, allocator, threadName, tid: threadName === "main" ? 1 : 2 }),
    );
    let key = "";
    for (const { function: name, line } of path) {
      key += `${name}:${line}/`;
      seen.add(key);
    }
  }
  const whole = records.reduce((sum, { size }) => sum + size, 0);
  for (const [threadName, share] of [
    ["libuv-worker", 0.11],
    ["V8Worker", 0.035],
  ] as const) {
    records.push(record({ path: [], size: Math.round(whole * share), nAllocations: 412, threadName, tid: 9 }));
  }
  const peakMemory = records.reduce((sum, { size }) => sum + size, 0);
  return {
    records,
    snapshots: snapshots(random, peakMemory),
    metadata: metadata({ peakMemory, totalAllocations: 1_284_377 }),
  };
}

type Layer = "program" | "dependency" | "internal" | "builtin";

const SOURCES: Record<Exclude<Layer, "builtin">, readonly string[]> = {
  program: ["src/import.ts", "src/csv/parse-row.ts", "src/images/thumbnail.ts", "src/index/build.ts", "src/store.ts"],
  dependency: [
    "node_modules/pngjs/lib/parser-sync.js",
    "node_modules/minisearch/dist/es/index.js",
    "node_modules/csv-parse/lib/api/index.js",
    "node_modules/jpeg-js/lib/decoder.js",
    "node_modules/zod/v4/core/parse.js",
  ],
  internal: [
    "node:buffer",
    "node:internal/modules/esm/loader",
    "node:zlib",
    "node:internal/fs/promises",
    "node:events",
  ],
};

const VERBS = [
  "read",
  "parse",
  "decode",
  "build",
  "insert",
  "resize",
  "normalize",
  "flush",
  "add",
  "load",
  "merge",
  "emit",
];
const NOUNS = [
  "Row",
  "Chunk",
  "Thumbnail",
  "Index",
  "Document",
  "Term",
  "Page",
  "Block",
  "Header",
  "Record",
  "Scanline",
];
const BUILTINS = ["ArrayBuffer", "TypedArrayPrototypeSlice", "ArrayMap", "AsyncFunctionAwaitResolve", "JsonParse"];

function catalogue(random: () => number, nodes: number): Record<Layer, Frame[]> {
  const each = Math.max(12, Math.round(Math.sqrt(nodes) * 1.5));
  const make = (files: readonly string[]): Frame[] =>
    Array.from({ length: each }, () => {
      const file = files[Math.floor(random() * files.length)] as string;
      const verb = VERBS[Math.floor(random() * VERBS.length)] as string;
      const noun = NOUNS[Math.floor(random() * NOUNS.length)] as string;
      const path = file.startsWith("node:") ? file : `/home/ada/catalog/${file}`;
      return frame(`${verb}${noun}`, path, 1 + Math.floor(random() * 400), 1 + Math.floor(random() * 60));
    });
  return {
    program: make(SOURCES.program),
    dependency: make(SOURCES.dependency),
    internal: make(SOURCES.internal),
    builtin: BUILTINS.map((name) => frame(name, "<builtin>", 0, 0)),
  };
}

function callPath(random: () => number, places: Record<Layer, Frame[]>, nodes: number): Frame[] {
  const pick = (layer: Layer): Frame => {
    const list = places[layer];
    return list[Math.floor(random() ** 2.5 * list.length)] as Frame;
  };
  const path = [
    frame("<module>", "/home/ada/catalog/src/import.ts", 118, 1),
    frame("main", "/home/ada/catalog/src/import.ts", 42, 9),
  ];
  if (random() < 0.12) {
    path.length = 0;
    path.push(frame("processTicksAndRejections", "node:internal/process/task_queues", 105, 5));
  }
  const calls = 1 + Math.floor(random() * 4);
  for (let i = 0; i < calls; i++) path.push(pick("program"));
  const deep = Math.floor(random() ** 2 * (nodes > 20_000 ? 34 : 14));
  for (let i = 0; i < deep; i++) path.push(pick(random() < 0.82 ? "dependency" : "program"));
  if (random() < 0.75) path.push(pick("internal"));
  if (random() < 0.4) path.push(pick("internal"));
  if (random() < 0.5) path.push(pick("builtin"));
  return path;
}

function snapshots(random: () => number, peak: number): MemorySnapshot[] {
  const rows: MemorySnapshot[] = [];
  const count = 1243;
  for (let i = 0; i < count; i++) {
    const at = i / (count - 1);
    const climb = at < 0.68 ? at / 0.68 : at < 0.74 ? 1 - (at - 0.68) * 9 : 0.46 - (at - 0.74) * 0.9;
    const saw = ((i * 37) % 160) / 160;
    const tracked = i === Math.round(0.68 * (count - 1)) ? peak : peak * (climb * 0.9 + saw * 0.06 + random() * 0.01);
    const heapUsed = peak * (0.12 + climb * 0.18 + (((i * 13) % 120) / 120) * 0.1);
    const rss = Math.max(rows.at(-1)?.rss ?? 0, tracked * 1.12 + 5e6) * (at > 0.7 ? 0.9995 : 1);
    rows.push({ timeMs: i * 10, rss, heapUsed, heapCommitted: heapUsed * 1.3, external: tracked * 0.5, tracked });
  }
  return rows;
}

/** Lines of source for a synthetic capture. */
export function syntheticSource(file: string, line: number): string | undefined {
  if (!file.includes("/src/")) return undefined;
  const lines = [
    "const row = Buffer.allocUnsafeSlow(header.width * 4);",
    "for (const record of parser) index.add(await normalize(record));",
    "return sharpen(resize(decode(bytes), { width: 320, height: 320, fit: 'inside' }));",
    "this.#pages.push(new Uint8Array(PAGE_BYTES));",
    "documents.set(id, { id, title, text: chunks.join('') });",
  ];
  return lines[line % lines.length];
}

/** The same graph in which every node has a frame of its own: another function, at another line. */
export function distinctFrames(data: FlameGraphData): FlameGraphData {
  const { frames, nodes, strings } = data;
  const names = Array.from(nodes.frame, (at, node) => `${strings[frames.function[at] as number]}${node}`);
  const spread = (column: Uint32Array | Uint8Array): Uint32Array =>
    Uint32Array.from(nodes.frame, (at) => column[at] as number);
  return {
    ...data,
    strings: [...strings, ...names],
    frames: {
      function: Uint32Array.from(names, (_, node) => strings.length + node),
      file: spread(frames.file),
      line: Uint32Array.from(names, (_, node) => 1 + node),
      column: spread(frames.column),
      category: Uint8Array.from(spread(frames.category)),
      source: spread(frames.source),
    },
    nodes: { parent: nodes.parent, frame: Uint32Array.from(nodes.parent, (_, node) => node) },
  };
}
