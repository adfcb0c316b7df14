import type { AllocationRecord, Frame } from "../capture/records.js";
import { preOrder } from "./pre-order.js";
import { framesOf } from "./record-frames.js";

/** Node and frame numbers share one Map key, so both stay below this. */
const KEY_FACTOR = 2 ** 26;

/** One stack that holds memory. */
export interface TreeStack {
  /** Numbers of its frames, outermost first. Used again for the next stack. */
  readonly frames: readonly number[];
  /** How many of them, from the outermost on, are those of the stack before it. */
  readonly shared: number;
  readonly bytes: number;
  readonly allocations: number;
}

/**
 * Merges allocation records, in any order, into one tree of stacks, for formats that have each stack once. Which frames
 * are the same is the format's to say. Memory grows with the distinct stacks.
 */
export class StackTree {
  /** Distinct frames, in order of appearance. */
  readonly frames: Frame[] = [];
  /** Bytes and allocations of all stacks. */
  totalBytes = 0;
  totalAllocations = 0;
  readonly #labelOf: (frame: Frame) => string;
  readonly #labels = new Map<string, number>();
  /** Frames of one physical frame are the same objects in every stack. */
  readonly #known = new WeakMap<Frame, number>();
  readonly #parent: number[] = [-1];
  readonly #frame: number[] = [-1];
  readonly #bytes: number[] = [0];
  readonly #allocations: number[] = [0];
  readonly #children = new Map<number, number>();

  /** `labelOf`: what tells frames apart. */
  constructor(labelOf: (frame: Frame) => string) {
    this.#labelOf = labelOf;
  }

  /** @throws Error where there are more than 67 million distinct stacks or frames */
  add(record: AllocationRecord): void {
    const frames = framesOf(record);
    let node = 0;
    for (let i = frames.length - 1; i >= 0; i--) node = this.#child(node, this.#idOf(frames[i] as Frame));
    this.#bytes[node] = (this.#bytes[node] as number) + record.size;
    this.#allocations[node] = (this.#allocations[node] as number) + record.nAllocations;
    this.totalBytes += record.size;
    this.totalAllocations += record.nAllocations;
  }

  /** The stacks that hold something, in pre-order: what they share with the one before is as much as can be. */
  *stacks(): Generator<TreeStack, void, undefined> {
    const frames: number[] = [];
    const depthOf = this.#depths();
    /** Frames that the path has in common with the last stack told. */
    let shared = 0;
    for (const node of preOrder(this.#parent)) {
      if (node === 0) continue;
      const depth = depthOf[node] as number;
      shared = Math.min(shared, depth - 1);
      frames.length = depth;
      frames[depth - 1] = this.#frame[node] as number;
      const [bytes, allocations] = [this.#bytes[node] as number, this.#allocations[node] as number];
      if (allocations === 0) continue;
      yield { frames, shared, bytes, allocations };
      shared = depth;
    }
  }

  #idOf(frame: Frame): number {
    let id = this.#known.get(frame);
    if (id !== undefined) return id;
    const label = this.#labelOf(frame);
    id = this.#labels.get(label);
    if (id === undefined) {
      id = this.frames.length;
      if (id >= KEY_FACTOR) throw new Error(`there are more than ${KEY_FACTOR} distinct frames`);
      this.#labels.set(label, id);
      this.frames.push(frame);
    }
    this.#known.set(frame, id);
    return id;
  }

  #child(parent: number, frame: number): number {
    const key = parent * KEY_FACTOR + frame;
    let node = this.#children.get(key);
    if (node === undefined) {
      node = this.#parent.length;
      if (node >= KEY_FACTOR) throw new Error(`there are more than ${KEY_FACTOR} distinct stacks`);
      this.#parent.push(parent);
      this.#frame.push(frame);
      this.#bytes.push(0);
      this.#allocations.push(0);
      this.#children.set(key, node);
    }
    return node;
  }

  /** By node: how many frames its stack has. */
  #depths(): Uint32Array {
    const depths = new Uint32Array(this.#parent.length);
    for (let node = 1; node < depths.length; node++)
      depths[node] = 1 + (depths[this.#parent[node] as number] as number);
    return depths;
  }
}
