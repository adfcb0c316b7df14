import { isPymalloc } from "../capture/allocators.js";
import type { AllocationRecord, Frame } from "../capture/records.js";
import { AllocatorType } from "../capture/wire.js";
import { type Disclosure, EVERYTHING } from "./confidential-files.js";
import { Category, type FrameTable, MemoryKind, type NodeTable, type WeightTable } from "./flamegraph-data.js";
import { FrameNumbers, idOf, type SourceLine, StringList } from "./frame-table.js";
import { preOrder } from "./pre-order.js";

/** Node and frame numbers share one Map key, so both stay below 2^26. */
const KEY_FACTOR = 2 ** 26;

/** The tables that a page's graph is drawn from. */
export interface TreeTables {
  readonly strings: readonly string[];
  readonly threads: readonly string[];
  readonly frames: FrameTable;
  readonly nodes: NodeTable;
  readonly weights: WeightTable;
  /** What each weight was before, where records of that side were added. */
  readonly before?: Pick<WeightTable, "bytes" | "allocations">;
}

interface Weight {
  readonly node: number;
  readonly thread: number;
  readonly kind: MemoryKind;
  bytes: number;
  allocations: number;
  /** Of the other side of a comparison. */
  bytesBefore: number;
  allocationsBefore: number;
}

/** Merges allocation records, in any order, into one call tree. */
export class FlameGraphTree {
  readonly #frames = new FrameNumbers();
  readonly #threads = new Map<string, number>();
  readonly #parent: number[] = [-1];
  readonly #frame: number[] = [0];
  readonly #children = new Map<number, number>();
  readonly #weights: Weight[] = [];
  readonly #weightIds = new Map<string, number>();
  /** The weights in the order of the finished tables. */
  #order: number[] = [];

  readonly #splitThreads: boolean;
  #compares = false;
  /** The frame of what is too small. */
  #small: number | undefined;

  /** `splitThreads`: whether stacks are below the frame of their thread. */
  constructor(splitThreads = false) {
    this.#splitThreads = splitThreads;
    this.#frames.addSpecial("<root>", Category.ROOT);
  }

  add(record: AllocationRecord): void {
    const weight = this.#weights[this.weightOf(record)] as Weight;
    weight.bytes += record.size;
    weight.allocations += record.nAllocations;
  }

  /**
   * Adds to one side of a comparison.
   * @param frames the record's stack, with frames that are the same on both sides
   */
  addTo(side: "before" | "after", record: AllocationRecord, frames: readonly Frame[]): void {
    this.#compares = true;
    const weight = this.#weights[this.weightOf(record, frames)] as Weight;
    if (side === "after") {
      weight.bytes += record.size;
      weight.allocations += record.nAllocations;
    } else {
      weight.bytesBefore += record.size;
      weight.allocationsBefore += record.nAllocations;
    }
  }

  /**
   * The number of the weight, made if need be, that a record of this stack, thread and kind belongs to.
   * @param frames its stack, where it is shown as another one
   */
  weightOf(
    record: Pick<AllocationRecord, "tid" | "threadName" | "allocator" | "stackTrace">,
    frames: readonly Frame[] = record.stackTrace(),
  ): number {
    const name = threadNameOf(record);
    let node = 0;
    if (frames.length === 0 || this.#splitThreads) node = this.#child(node, this.#frames.ofThread(name));
    for (let i = frames.length - 1; i >= 0; i--) node = this.#child(node, this.#frames.numberOf(frames[i] as Frame));
    return this.#weightAt(node, name, kindOf(record.allocator));
  }

  /** Makes room for what a thread allocates, in the order of such calls. */
  addThread(name: string): void {
    idOf(this.#threads, name);
  }

  /** The node of a frame called by that of another node, made if need be; node 0 is the root. */
  below(parent: number, frame: Frame): number {
    return this.#child(parent, this.#frames.numberOf(frame));
  }

  /** The node of what a thread allocated without any frames. */
  ofThread(name: string): number {
    return this.#child(0, this.#frames.ofThread(name));
  }

  /** The node of all that is too small to have nodes of its own below another one. */
  smallBelow(parent: number): number {
    this.#small ??= this.#frames.addSpecial("small stacks", Category.SMALL);
    return this.#child(parent, this.#small);
  }

  addAt(node: number, amount: Pick<AllocationRecord, "threadName" | "allocator" | "size" | "nAllocations">): void {
    const weight = this.#weights[this.#weightAt(node, amount.threadName, kindOf(amount.allocator))] as Weight;
    weight.bytes += amount.size;
    weight.allocations += amount.nAllocations;
  }

  #weightAt(node: number, threadName: string, kind: MemoryKind): number {
    const thread = idOf(this.#threads, threadName);
    const key = `${node} ${thread} ${kind}`;
    let weight = this.#weightIds.get(key);
    if (weight === undefined) {
      weight = this.#weights.length;
      this.#weightIds.set(key, weight);
      this.#weights.push({ node, thread, kind, bytes: 0, allocations: 0, bytesBefore: 0, allocationsBefore: 0 });
    }
    return weight;
  }

  /** The row that each weight has in the finished tables. */
  weightRows(): Uint32Array {
    const rows = new Uint32Array(this.#weights.length);
    this.#order.forEach((weight, row) => {
      rows[weight] = row;
    });
    return rows;
  }

  /** The tables, with nodes in pre-order and frames in the order in which that order meets them. */
  finish(sourceLine?: SourceLine, disclosure: Disclosure = EVERYTHING): TreeTables {
    const order = preOrder(this.#parent);
    const rank = new Uint32Array(order.length);
    for (let i = 0; i < order.length; i++) rank[order[i] as number] = i;

    const frameRank = new Int32Array(this.#frames.length).fill(-1);
    const used: number[] = [];
    const nodes = { parent: new Int32Array(order.length), frame: new Uint32Array(order.length) };
    for (let i = 0; i < order.length; i++) {
      const node = order[i] as number;
      const frame = this.#frame[node] as number;
      if (frameRank[frame] === -1) {
        frameRank[frame] = used.length;
        used.push(frame);
      }
      nodes.parent[i] = i === 0 ? -1 : (rank[this.#parent[node] as number] as number);
      nodes.frame[i] = frameRank[frame] as number;
    }

    const strings = new StringList();
    return {
      frames: this.#frames.table(used, strings, sourceLine, disclosure),
      strings: strings.list,
      threads: [...this.#threads.keys()],
      nodes,
      ...this.#weightTables(order, rank),
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

  #weightTables(order: Uint32Array, rank: Uint32Array): Pick<TreeTables, "weights" | "before"> {
    const at = (node: number): number => rank[node] as number;
    this.#order = this.#weightOrder(order);
    const rows = this.#order.map((weight) => this.#weights[weight] as Weight);
    const weights = {
      node: Uint32Array.from(rows, (row) => at(row.node)),
      thread: Uint32Array.from(rows, (row) => row.thread),
      kind: Uint8Array.from(rows, (row) => row.kind),
      bytes: Float64Array.from(rows, (row) => row.bytes),
      allocations: Float64Array.from(rows, (row) => row.allocations),
    };
    if (!this.#compares) return { weights };
    const bytes = Float64Array.from(rows, (row) => row.bytesBefore);
    return { weights, before: { bytes, allocations: Float64Array.from(rows, (row) => row.allocationsBefore) } };
  }

  /** The weights by the order of their nodes, and those of one node by thread and kind. */
  #weightOrder(nodes: Uint32Array): number[] {
    const weights = this.#weights;
    const first = new Int32Array(nodes.length).fill(-1);
    const next = new Int32Array(weights.length);
    for (let weight = weights.length - 1; weight >= 0; weight--) {
      const { node } = weights[weight] as Weight;
      next[weight] = first[node] as number;
      first[node] = weight;
    }
    const ordered: number[] = [];
    const before = (a: number, b: number): number => {
      const [one, other] = [weights[a] as Weight, weights[b] as Weight];
      return one.thread - other.thread || one.kind - other.kind;
    };
    for (const node of nodes) {
      const start = ordered.length;
      for (let weight = first[node] as number; weight !== -1; weight = next[weight] as number) ordered.push(weight);
      if (ordered.length - start > 1) ordered.push(...ordered.splice(start).sort(before));
    }
    return ordered;
  }
}

/** What a page calls a thread. */
export function threadNameOf({ tid, threadName }: Pick<AllocationRecord, "tid" | "threadName">): string {
  return threadName === "" ? String(tid) : threadName;
}

/** What kind of memory an allocator gives. */
export function kindOf(allocator: AllocatorType): MemoryKind {
  if (allocator === AllocatorType.HEAP_PAGES) return MemoryKind.HEAP_PAGES;
  if (isPymalloc(allocator)) return MemoryKind.PYTHON;
  return allocator === AllocatorType.JS_OBJECT ? MemoryKind.JS : MemoryKind.NATIVE;
}
