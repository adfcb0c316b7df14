import { Float64Column, Uint32Column } from "../columns.js";
import { UNKNOWN_BUILD_ID } from "../records.js";
import type { CaptureTables } from "../tables.js";

/** Tells which machine code is the loop that executes Python's functions: names that only a module's file knows. */
export interface InterpreterLoop {
  /** Whether the instruction before the return address, as an address of the module's file, is in the loop. */
  holds(module: string, address: number): boolean;
}

/** A part of a module that is in memory. */
interface Segment {
  readonly start: number;
  readonly end: number;
  readonly module: number;
}

/**
 * The stacks of machine code: memray has a tree of return addresses, and tells which modules were where when it noticed
 * that these had changed; each such moment begins a generation.
 */
export class NativeTraces {
  /** Grows with each change of the modules. */
  generation = 0;
  readonly #tables: CaptureTables;
  readonly #stringOf: (text: string) => number;
  readonly #loop: InterpreterLoop | undefined;
  /** By number: the return address, and the number of the caller's; 0 is none. */
  readonly #address = new Float64Column();
  readonly #caller = new Uint32Column();
  /** By generation: its segments, and whether they are in order. */
  readonly #segments: Segment[][] = [[]];
  #sorted = true;
  readonly #modules = new Map<string, number>();
  /** By generation and address: the frame of the tables; 0 where there is no module. */
  readonly #frames: Map<number, number>[] = [new Map()];
  /** By frame in the interpreter's loop: the same without the loop itself. */
  readonly #inLoop = new Map<number, number>();
  /** By module and address: the frame. */
  readonly #frameByPlace: Map<number, number>[] = [];

  constructor(tables: CaptureTables, stringOf: (text: string) => number, loop?: InterpreterLoop) {
    this.#tables = tables;
    this.#stringOf = stringOf;
    this.#loop = loop;
    this.#address.push(0);
    this.#caller.push(0);
  }

  /** Number of the last frame. */
  get length(): number {
    return this.#address.length - 1;
  }

  add(address: number, caller: number): void {
    this.#address.push(address);
    this.#caller.push(caller);
  }

  /** From now on, other modules are loaded. */
  startGeneration(): void {
    this.generation++;
    this.#segments.push([]);
    this.#frames.push(new Map());
  }

  addSegment(path: string, bias: number, start: number, end: number): void {
    this.#segments[this.generation]?.push({ start, end, module: this.#moduleOf(path, bias) });
    this.#sorted = false;
  }

  /**
   * The frames of the tables for a stack, the outermost first; addresses in no module are left out, since nothing is known
   * of them.
   */
  framesOf(number: number, generation: number): number[] {
    const frames: number[] = [];
    for (let at = number; at > 0 && at < this.#address.length; at = this.#caller.at(at)) {
      const frame = this.#frameOf(this.#address.at(at), generation);
      if (frame !== 0) frames.push(frame);
      // A caller comes before whom it calls.
      if (this.#caller.at(at) >= at) break;
    }
    return frames.reverse();
  }

  /** Of a frame in the interpreter's loop, the one that has only what the compiler put into the loop there. */
  insideLoop(frame: number): number | undefined {
    return this.#inLoop.get(frame);
  }

  #frameOf(address: number, generation: number): number {
    const known = this.#frames[generation];
    if (known === undefined) return 0;
    let frame = known.get(address);
    if (frame === undefined) {
      const module = this.#moduleAt(address, generation);
      frame = module === 0 ? 0 : this.#frameIn(module, address - this.#tables.moduleBias.at(module));
      known.set(address, frame);
    }
    return frame;
  }

  #frameIn(module: number, address: number): number {
    const ofModule = this.#frameByPlace[module];
    const known = ofModule?.get(address);
    if (known !== undefined) return known;
    const { strings, modulePath, frameEnd, frameModule, frameAddress, logicalFunction, insideLoop } = this.#tables;
    const frame = frameEnd.length;
    frameEnd.push(logicalFunction.length);
    frameModule.push(module);
    frameAddress.push(address);
    ofModule?.set(address, frame);
    if (this.#loop?.holds(strings.get(modulePath.at(module)), address)) {
      frameEnd.push(logicalFunction.length);
      frameModule.push(module);
      frameAddress.push(address);
      this.#inLoop.set(frame, frame + 1);
      insideLoop.add(frame + 1);
    }
    return frame;
  }

  #moduleAt(address: number, generation: number): number {
    if (!this.#sorted) {
      for (const segments of this.#segments) segments.sort((a, b) => a.start - b.start);
      this.#sorted = true;
    }
    const segments = this.#segments[generation] as Segment[];
    let low = 0;
    let high = segments.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((segments[middle] as Segment).start <= address) low = middle + 1;
      else high = middle;
    }
    const segment = segments[low - 1];
    return segment !== undefined && address < segment.end ? segment.module : 0;
  }

  #moduleOf(path: string, bias: number): number {
    const key = `${bias} ${path}`;
    const known = this.#modules.get(key);
    if (known !== undefined) return known;
    const { modulePath, moduleBias, moduleBuildId } = this.#tables;
    const id = modulePath.length;
    modulePath.push(this.#stringOf(path));
    moduleBias.push(bias);
    moduleBuildId.push(UNKNOWN_BUILD_ID);
    this.#modules.set(key, id);
    this.#frameByPlace[id] = new Map();
    return id;
  }
}
