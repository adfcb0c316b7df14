import { Uint32Column } from "../columns.js";
import type { CaptureTables } from "../tables.js";
import type { MemrayHeader } from "./header.js";
import { type CallOfPython, HybridStacks } from "./hybrid-stacks.js";
import type { NativeTraces } from "./native-traces.js";
import { NodeTree } from "./node-tree.js";

/**
 * From what memray tells of an allocation to a node of the tables: with native traces a stack of both, otherwise one of
 * Python. memray's own frames, which are outermost on the thread that started tracking, are left out.
 */
export class Stacks {
  /** The stacks of Python's calls, memray's own included. */
  readonly calls: NodeTree;
  readonly #tree: NodeTree;
  readonly #hybrid: HybridStacks | undefined;
  readonly #main: number;
  readonly #skipped: number;
  /** By node of `calls`: the node of the tables + 1, or 0 where it was not asked for; on other threads and the main one. */
  readonly #ofOthers = new Uint32Column();
  readonly #ofMain = new Uint32Column();

  constructor(tables: CaptureTables, header: MemrayHeader, native: NativeTraces) {
    this.#tree = new NodeTree(tables.nodeParent, tables.nodeFrame);
    this.#main = header.mainThread;
    this.#skipped = header.skippedFrames;
    const [parent, frame] = [new Uint32Column(), new Uint32Column()];
    parent.push(0);
    frame.push(0);
    this.calls = new NodeTree(parent, frame);
    if (header.nativeTraces) this.#hybrid = new HybridStacks(this.#tree, native, header.skippedFrames);
  }

  /** A call of a frame, as `calls` has it. */
  callOf(frame: number, isEntry: boolean): CallOfPython {
    return 2 * frame + (isEntry ? 1 : 0);
  }

  /**
   * The node of the tables for a stack of Python's calls and a native one, on the thread that memray numbers `tid`.
   * @param calls a node of `calls`
   */
  nodeOf(calls: number, native: number, generation: number, tid: number): number {
    const isMain = tid === this.#main;
    if (this.#hybrid !== undefined) return this.#hybrid.nodeOf(this.calls, calls, native, generation, isMain);
    return this.#nodeOfPython(calls, isMain);
  }

  #nodeOfPython(calls: number, isMain: boolean): number {
    const nodes = isMain ? this.#ofMain : this.#ofOthers;
    while (nodes.length <= calls) nodes.push(0);
    const known = nodes.at(calls);
    if (known !== 0) return known - 1;
    const path: number[] = [];
    let at = calls;
    for (; at !== 0 && (nodes.at(at) === 0 || isMain); at = this.calls.parentOf(at)) path.push(at);
    // The main thread's are cut from outside, so that all of its stack has to be looked at.
    let node = at === 0 ? 0 : nodes.at(at) - 1;
    if (isMain) path.length = Math.max(0, path.length - this.#skipped);
    for (const call of path.reverse()) {
      node = this.#tree.child(node, this.calls.frameOf(call) >>> 1);
      nodes.items[call] = node + 1;
    }
    nodes.items[calls] = node + 1;
    return node;
  }
}
