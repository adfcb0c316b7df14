import { Uint32Column } from "../columns.js";
import type { NativeTraces } from "./native-traces.js";
import { NodeTree } from "./node-tree.js";

/** A Python frame with what memray says of it: twice the frame, plus 1 where the interpreter's loop was entered for it. */
export type CallOfPython = number;

/**
 * Puts the two stacks of an allocation together, that of Python and that of machine code, as `memray --native` does: where
 * machine code is the interpreter's loop, the Python functions that it was executing stand in its place. The loop is entered
 * anew for some functions and goes on with others that these call.
 */
export class HybridStacks {
  readonly #tree: NodeTree;
  readonly #native: NativeTraces;
  /** How many of the main thread's outermost Python frames are left out, and all machine code outside of them. */
  readonly #skipped: number;
  /** The nodes by Python stack and native stack, of one generation. */
  #pairs = new Pairs();
  #generation = 0;

  constructor(tree: NodeTree, native: NativeTraces, skipped: number) {
    this.#tree = tree;
    this.#native = native;
    this.#skipped = skipped;
  }

  /**
   * The node of an allocation's stack.
   * @param python a node of `calls`, whose frames are calls of Python
   * @param native the number of its native stack
   */
  nodeOf(calls: NodeTree, python: number, native: number, generation: number, isMain: boolean): number {
    if (generation !== this.#generation) {
      this.#generation = generation;
      this.#pairs = new Pairs();
    }
    const pair = this.#pairs.of(2 * python + (isMain ? 1 : 0), native);
    const known = this.#pairs.node.at(pair);
    if (known > 0) return known - 1;
    const node = this.#join(
      pathTo(calls, python),
      this.#native.framesOf(native, generation),
      isMain ? this.#skipped : 0,
    );
    this.#pairs.node.items[pair] = node + 1;
    return node;
  }

  /** Both stacks have their outermost frame first. */
  #join(python: readonly CallOfPython[], native: readonly number[], skipped: number): number {
    const tree = this.#tree;
    let node = 0;
    let next = 0;
    for (const frame of native) {
      const inside = next < python.length ? this.#native.insideLoop(frame) : undefined;
      if (inside !== undefined) {
        do {
          if (skipped > 0 && next === skipped) node = 0;
          node = tree.child(node, (python[next++] as number) >>> 1);
        } while (next < python.length && ((python[next] as number) & 1) === 0);
      }
      node = tree.child(node, inside ?? frame);
    }
    if (next === python.length) return node;
    // The loop was not recognised everywhere, so there is no telling what belongs where.
    node = 0;
    for (const call of python.slice(Math.min(skipped, python.length))) node = tree.child(node, call >>> 1);
    return node;
  }
}

/** The frames of a node, the outermost first. */
function pathTo(tree: NodeTree, node: number): number[] {
  const path: number[] = [];
  for (let at = node; at !== 0; at = tree.parentOf(at)) path.push(tree.frameOf(at));
  return path.reverse();
}

/** Numbers pairs of numbers. */
class Pairs {
  /** By pair: the node + 1; 0 where none was found yet. */
  readonly node = new Uint32Column();
  readonly #first = new Uint32Column();
  readonly #second = new Uint32Column();
  readonly #numbers: NodeTree;

  constructor() {
    for (const column of [this.node, this.#first, this.#second]) column.push(0);
    this.#numbers = new NodeTree(this.#first, this.#second);
  }

  of(first: number, second: number): number {
    const pair = this.#numbers.child(first, second);
    if (pair === this.node.length) this.node.push(0);
    return pair;
  }
}
