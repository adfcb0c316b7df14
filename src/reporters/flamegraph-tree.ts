import type { AllocationRecord, Frame } from "../capture/records.js";
import { AllocatorType } from "../capture/wire.js";
import { categoryOf } from "./flamegraph-category.js";
import { Category, type FrameTable, MemoryKind, type NodeTable, type WeightTable } from "./flamegraph-data.js";

/** The text of a line of a source file, or undefined when it is not known. */
export type SourceLine = (file: string, line: number) => string | undefined;

/** Longer lines are minified code, of which the start says as little as the whole. */
const MAX_SOURCE_CHARACTERS = 240;
/** Node and frame numbers share one Map key, so both stay below 2^26. */
const KEY_FACTOR = 2 ** 26;

interface Strings {
  readonly list: string[];
  readonly ids: Map<string, number>;
}

interface FrameRow {
  readonly function: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly category: Category;
}

/** The tables that a page's graph is drawn from. */
export interface TreeTables {
  readonly strings: readonly string[];
  readonly threads: readonly string[];
  readonly frames: FrameTable;
  readonly nodes: NodeTable;
  readonly weights: WeightTable;
}

/** Merges allocation records, in any order, into one call tree. */
export class FlameGraphTree {
  readonly #frames: FrameRow[] = [];
  readonly #frameIds = new Map<string, Map<string, Map<number, number>>>();
  readonly #threadFrames = new Map<string, number>();
  readonly #threads = new Map<string, number>();
  readonly #parent: number[] = [-1];
  readonly #frame: number[] = [0];
  readonly #children = new Map<number, number>();
  readonly #weights: { node: number; thread: number; kind: MemoryKind; bytes: number; allocations: number }[] = [];
  readonly #weightIds = new Map<string, number>();

  readonly #splitThreads: boolean;

  /** `splitThreads`: whether stacks are below the frame of their thread. */
  constructor(splitThreads = false) {
    this.#splitThreads = splitThreads;
    this.#frames.push({ function: "<root>", file: "", line: 0, column: 0, category: Category.ROOT });
  }

  add(record: AllocationRecord): void {
    const frames = record.stackTrace();
    const name = record.threadName === "" ? String(record.tid) : record.threadName;
    let node = 0;
    if (frames.length === 0 || this.#splitThreads) node = this.#child(node, this.#threadFrame(name));
    for (let i = frames.length - 1; i >= 0; i--) node = this.#child(node, this.#frameId(frames[i] as Frame));
    const thread = idOf(this.#threads, name);
    const kind = kindOf(record.allocator);
    const key = `${node} ${thread} ${kind}`;
    const known = this.#weightIds.get(key);
    const weight = known === undefined ? undefined : this.#weights[known];
    if (weight) {
      weight.bytes += record.size;
      weight.allocations += record.nAllocations;
    } else {
      this.#weightIds.set(key, this.#weights.length);
      this.#weights.push({ node, thread, kind, bytes: record.size, allocations: record.nAllocations });
    }
  }

  /** The tables, with nodes in pre-order and frames in the order in which that order meets them. */
  finish(sourceLine: SourceLine = () => undefined): TreeTables {
    const order = this.#preOrder();
    const rank = new Uint32Array(order.length);
    for (let i = 0; i < order.length; i++) rank[order[i] as number] = i;

    const frameRank = new Int32Array(this.#frames.length).fill(-1);
    const used: FrameRow[] = [];
    const nodes = { parent: new Int32Array(order.length), frame: new Uint32Array(order.length) };
    for (let i = 0; i < order.length; i++) {
      const node = order[i] as number;
      const frame = this.#frame[node] as number;
      if (frameRank[frame] === -1) {
        frameRank[frame] = used.length;
        used.push(this.#frames[frame] as FrameRow);
      }
      nodes.parent[i] = i === 0 ? -1 : (rank[this.#parent[node] as number] as number);
      nodes.frame[i] = frameRank[frame] as number;
    }

    const strings: Strings = { list: [""], ids: new Map([["", 0]]) };
    return {
      frames: frameTable(used, strings, sourceLine),
      strings: strings.list,
      threads: [...this.#threads.keys()],
      nodes,
      weights: this.#weightTable(rank),
    };
  }

  #child(parent: number, frame: number): number {
    const key = parent * KEY_FACTOR + frame;
    let node = this.#children.get(key);
    if (node === undefined) {
      node = this.#parent.length;
      if (node >= KEY_FACTOR)
        throw new Error(`the flame graph has more than ${KEY_FACTOR} frames; use a table instead`);
      this.#parent.push(parent);
      this.#frame.push(frame);
      this.#children.set(key, node);
    }
    return node;
  }

  #frameId(frame: Frame): number {
    const ofFunction = inner(inner(this.#frameIds, frame.file), frame.function);
    const place = frame.line * 2 ** 24 + Math.min(frame.column, 2 ** 24 - 1);
    let id = ofFunction.get(place);
    if (id === undefined) {
      id = this.#frames.length;
      ofFunction.set(place, id);
      this.#frames.push({
        function: frame.function,
        file: frame.file,
        line: frame.line,
        column: frame.column,
        category: categoryOf(frame),
      });
    }
    return id;
  }

  #threadFrame(name: string): number {
    let id = this.#threadFrames.get(name);
    if (id === undefined) {
      id = this.#frames.length;
      this.#threadFrames.set(name, id);
      this.#frames.push({ function: `thread: ${name}`, file: "", line: 0, column: 0, category: Category.THREAD });
    }
    return id;
  }

  #preOrder(): Uint32Array {
    const count = this.#parent.length;
    const firstChild = new Int32Array(count).fill(-1);
    const nextSibling = new Int32Array(count).fill(-1);
    for (let node = count - 1; node > 0; node--) {
      const parent = this.#parent[node] as number;
      nextSibling[node] = firstChild[parent] as number;
      firstChild[parent] = node;
    }
    const order = new Uint32Array(count);
    const stack = [0];
    for (let i = 0; i < count; i++) {
      const node = stack.pop() as number;
      order[i] = node;
      const sibling = nextSibling[node] as number;
      if (sibling !== -1) stack.push(sibling);
      const child = firstChild[node] as number;
      if (child !== -1) stack.push(child);
    }
    return order;
  }

  #weightTable(rank: Uint32Array): WeightTable {
    const rows = [...this.#weights];
    const at = (node: number): number => rank[node] as number;
    rows.sort((a, b) => at(a.node) - at(b.node) || a.thread - b.thread || a.kind - b.kind);
    return {
      node: Uint32Array.from(rows, (row) => at(row.node)),
      thread: Uint32Array.from(rows, (row) => row.thread),
      kind: Uint8Array.from(rows, (row) => row.kind),
      bytes: Float64Array.from(rows, (row) => row.bytes),
      allocations: Float64Array.from(rows, (row) => row.allocations),
    };
  }
}

function frameTable(rows: readonly FrameRow[], strings: Strings, sourceLine: SourceLine): FrameTable {
  const intern = (text: string): number => {
    let id = strings.ids.get(text);
    if (id === undefined) {
      id = strings.list.length;
      strings.ids.set(text, id);
      strings.list.push(text);
    }
    return id;
  };
  const sources = new Map<string, string>();
  const source = (row: FrameRow): string => {
    if (row.line === 0 || row.file === "") return "";
    const key = `${row.line} ${row.file}`;
    let text = sources.get(key);
    if (text === undefined) {
      text = (sourceLine(row.file, row.line) ?? "").trim().slice(0, MAX_SOURCE_CHARACTERS);
      sources.set(key, text);
    }
    return text;
  };
  return {
    function: Uint32Array.from(rows, (row) => intern(row.function)),
    file: Uint32Array.from(rows, (row) => intern(row.file)),
    line: Uint32Array.from(rows, (row) => row.line),
    column: Uint32Array.from(rows, (row) => row.column),
    category: Uint8Array.from(rows, (row) => row.category),
    source: Uint32Array.from(rows, (row) => intern(source(row))),
  };
}

function inner<K, V>(outer: Map<string, Map<K, V>>, key: string): Map<K, V> {
  let map = outer.get(key);
  if (map === undefined) {
    map = new Map();
    outer.set(key, map);
  }
  return map;
}

function idOf(ids: Map<string, number>, name: string): number {
  let id = ids.get(name);
  if (id === undefined) {
    id = ids.size;
    ids.set(name, id);
  }
  return id;
}

function kindOf(allocator: AllocatorType): MemoryKind {
  if (allocator === AllocatorType.HEAP_PAGES) return MemoryKind.HEAP_PAGES;
  return allocator === AllocatorType.JS_OBJECT ? MemoryKind.JS : MemoryKind.NATIVE;
}
