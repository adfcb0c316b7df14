import { nameWithoutFrames } from "../analysis/answering-frame.js";
import { originOf } from "../analysis/frame-origin.js";
import { isLoader, isMachinery } from "../analysis/frame-roles.js";
import type { AllocationRecord, Frame } from "../capture/records.js";

/** Node and frame numbers share one Map key, so both stay below 2^26. */
const KEY_FACTOR = 2 ** 26;

/** A frame, as reached from the frames that called it. */
export interface TreeNode {
  /** The place in the tree's nodes, which come after their callers. */
  readonly id: number;
  /** Undefined for the root only. */
  readonly parent: TreeNode | undefined;
  readonly function: string;
  readonly file: string;
  /** 1-based; 0 when unknown. */
  readonly line: number;
  /** Of the frame and of all that it called. */
  bytes: number;
  allocations: number;
  /** The thread that allocated; "several threads" where more than one did. */
  thread: string;
  /** Whether it says something of the program; what does not only calls others. */
  interesting: boolean;
  /** Whether it loads modules because the program asked for them, or is on the way to no code of the program. */
  importSystem: boolean;
  /** In the order in which they were met. */
  readonly children: TreeNode[];
}

/** What the allocations that are not shown make together. */
export interface ElidedLocations {
  readonly locations: number;
  readonly allocations: number;
  readonly bytes: number;
}

export interface AllocationTree {
  /** Stands for all allocations, the elided ones too. */
  readonly root: TreeNode;
  /** All nodes, callers first; the root is the first. */
  readonly nodes: readonly TreeNode[];
  /** How many locations are shown at most. */
  readonly biggest: number;
  readonly elided: ElidedLocations;
}

/**
 * Merges the stacks of the locations that hold most into a tree, outermost frames first, as memray's tree does.
 * @param records live allocations, one for each thread, stack and allocator
 */
export function allocationTree(records: Iterable<AllocationRecord>, biggest: number): AllocationTree {
  const sorted = [...records].sort((a, b) => b.size - a.size || a.stackId - b.stackId);
  const builder = new TreeBuilder();
  for (const record of sorted.slice(0, biggest)) builder.add(record);
  const elided = { locations: 0, allocations: 0, bytes: 0 };
  for (const { size, nAllocations } of sorted.slice(biggest)) {
    elided.locations++;
    elided.allocations += nAllocations;
    elided.bytes += size;
  }
  const nodes = builder.finish();
  const root = nodes[0] as TreeNode;
  root.bytes += elided.bytes;
  root.allocations += elided.allocations;
  return { root, nodes, biggest, elided };
}

class TreeBuilder {
  readonly #nodes: TreeNode[] = [];
  /** Frames that were met, by function, file and line; machine code apart. */
  readonly #frames: Frame[] = [];
  readonly #frameIds = new Map<string, number>();
  /** The same by the object, which the reader makes once for each frame. */
  readonly #known = new Map<Frame, number>();
  readonly #children = new Map<number, TreeNode>();
  /** By node. */
  readonly #frameOf: number[] = [-1];

  constructor() {
    this.#make(undefined, { function: "<ROOT>", file: "", line: 0 });
  }

  add(record: AllocationRecord): void {
    const thread = record.threadName || String(record.tid);
    const frames = record.stackTrace();
    let node = this.#nodes[0] as TreeNode;
    count(node, record, thread);
    if (frames.length === 0) frames.push({ function: nameWithoutFrames(record), file: "", line: 0, column: 0 });
    for (let i = frames.length - 1; i >= 0; i--) {
      node = this.#child(node, this.#frameId(frames[i] as Frame));
      count(node, record, thread);
    }
  }

  finish(): TreeNode[] {
    this.#findImports();
    return this.#nodes;
  }

  #child(parent: TreeNode, frame: number): TreeNode {
    const key = parent.id * KEY_FACTOR + frame;
    let node = this.#children.get(key);
    if (node === undefined) {
      node = this.#make(parent, this.#frames[frame] as Frame);
      this.#frameOf.push(frame);
      this.#children.set(key, node);
      parent.children.push(node);
    }
    return node;
  }

  #make(parent: TreeNode | undefined, { function: name, file, line }: Omit<Frame, "column">): TreeNode {
    const id = this.#nodes.length;
    if (id >= KEY_FACTOR)
      throw new Error(`the tree has more than ${KEY_FACTOR} frames; show fewer allocations with -b`);
    const node: TreeNode = {
      id,
      parent,
      function: name,
      file,
      line,
      bytes: 0,
      allocations: 0,
      thread: "",
      interesting: true,
      importSystem: false,
      children: [],
    };
    this.#nodes.push(node);
    return node;
  }

  #frameId(frame: Frame): number {
    let id = this.#known.get(frame);
    if (id !== undefined) return id;
    const key = `${frame.line}\0${frame.file}\0${frame.function}\0${frame.native === true}`;
    id = this.#frameIds.get(key);
    if (id === undefined) {
      id = this.#frames.length;
      this.#frames.push(frame);
      this.#frameIds.set(key, id);
    }
    this.#known.set(frame, id);
    return id;
  }

  /**
   * Node.js starts a program by loading it as a module, so the loader is on the stack of all that a module does at its
   * top level. It counts as the import system where the program called it, and where it leads to nothing of the program.
   */
  #findImports(): void {
    const n = this.#nodes.length;
    const loader = this.#frames.map(isLoader);
    const machinery = this.#frames.map(isMachinery);
    const program = this.#frames.map((frame) => {
      const origin = originOf(frame);
      return origin === "program" || origin === "dependency";
    });
    const belowProgram = new Uint8Array(n);
    const aboveProgram = new Uint8Array(n);
    for (let i = 1; i < n; i++) {
      const { parent } = this.#nodes[i] as TreeNode;
      const up = (parent as TreeNode).id;
      belowProgram[i] = belowProgram[up] || program[this.#frameOf[up] as number] ? 1 : 0;
    }
    for (let i = n - 1; i > 0; i--) {
      const node = this.#nodes[i] as TreeNode;
      const frame = this.#frameOf[i] as number;
      if (program[frame]) aboveProgram[i] = 1;
      if (aboveProgram[i]) aboveProgram[(node.parent as TreeNode).id] = 1;
      node.importSystem = loader[frame] === true && (belowProgram[i] === 1 || aboveProgram[i] === 0);
      node.interesting = !loader[frame] && !machinery[frame];
    }
  }
}

function count(node: TreeNode, { size, nAllocations }: AllocationRecord, thread: string): void {
  node.bytes += size;
  node.allocations += nAllocations;
  if (node.thread === "") node.thread = thread;
  else if (node.thread !== thread) node.thread = "several threads";
}
