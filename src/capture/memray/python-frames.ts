import type { CaptureTables } from "../tables.js";
import { lineAt } from "./python-lines.js";

const INITIAL_SLOTS = 1024;
/** Words of a slot: code + 1 (0: empty), the instruction's offset, the frame. */
const WORDS = 3;

/** A code object of the program, as the capture tells of it. */
interface CodeObject {
  /** Function id. */
  readonly function: number;
  readonly firstLine: number;
  readonly lineTable: Uint8Array;
  /** By line: its frame. */
  readonly frames: Map<number, number>;
}

/**
 * The frames of Python: a code object and an instruction in it are a function and a line. Instructions of one line are one
 * frame.
 */
export class PythonFrames {
  readonly #tables: CaptureTables;
  readonly #pythonVersion: number;
  readonly #codes = new Map<number, CodeObject>();
  /** By file name: its script. */
  readonly #scripts = new Map<string, number>();
  /** By text: its string. */
  readonly #strings = new Map<string, number>([["", 0]]);
  #slots = new Int32Array(INITIAL_SLOTS * WORDS);
  #taken = 0;

  /** `pythonVersion`: `sys.hexversion`. */
  constructor(tables: CaptureTables, pythonVersion: number) {
    this.#tables = tables;
    this.#pythonVersion = pythonVersion;
  }

  /** The id of a string that may be there already. */
  stringOf(text: string): number {
    const known = this.#strings.get(text);
    if (known !== undefined) return known;
    const id = this.#tables.strings.length;
    this.#tables.strings.add(new TextEncoder().encode(text));
    this.#strings.set(text, id);
    return id;
  }

  /** Takes in a code object. */
  define(code: number, name: string, file: string, firstLine: number, lineTable: Uint8Array): void {
    const { functionName, functionScript, functionLine, functionColumn } = this.#tables;
    const id = functionName.length;
    functionName.push(this.stringOf(name));
    functionScript.push(this.#scriptOf(file));
    functionLine.push(Math.max(0, firstLine));
    functionColumn.push(0);
    this.#codes.set(code, { function: id, firstLine, lineTable, frames: new Map() });
  }

  /** The frame that executes the instruction at `offset` of a code object; undefined where that is not known. */
  frameOf(code: number, offset: number): number | undefined {
    const slots = this.#slots;
    const mask = slots.length / WORDS - 1;
    let slot = hash(code, offset) & mask;
    for (;;) {
      const at = slot * WORDS;
      const taken = slots[at] as number;
      if (taken === code + 1 && slots[at + 1] === offset) return slots[at + 2] as number;
      if (taken === 0) break;
      slot = (slot + 1) & mask;
    }
    const frame = this.#frameAt(code, offset);
    if (frame === undefined) return undefined;
    slots.set([code + 1, offset, frame], slot * WORDS);
    if (2 * ++this.#taken > mask) this.#grow();
    return frame;
  }

  #frameAt(code: number, offset: number): number | undefined {
    const object = this.#codes.get(code);
    if (object === undefined) return undefined;
    const line = Math.max(0, lineAt(this.#pythonVersion, object.lineTable, offset, object.firstLine));
    const known = object.frames.get(line);
    if (known !== undefined) return known;
    const { frameEnd, frameModule, frameAddress, logicalFunction, logicalLine, logicalColumn } = this.#tables;
    logicalFunction.push(object.function);
    logicalLine.push(line);
    logicalColumn.push(0);
    const frame = frameEnd.length;
    frameEnd.push(logicalFunction.length);
    frameModule.push(0);
    frameAddress.push(0);
    object.frames.set(line, frame);
    return frame;
  }

  #scriptOf(file: string): number {
    const known = this.#scripts.get(file);
    if (known !== undefined) return known;
    const { scriptUrl, scriptSourceMapUrl } = this.#tables;
    const id = scriptUrl.length;
    scriptUrl.push(this.stringOf(file));
    scriptSourceMapUrl.push(0);
    this.#scripts.set(file, id);
    return id;
  }

  #grow(): void {
    const old = this.#slots;
    this.#slots = new Int32Array(2 * old.length);
    const mask = this.#slots.length / WORDS - 1;
    for (let from = 0; from < old.length; from += WORDS) {
      if (old[from] === 0) continue;
      let slot = hash((old[from] as number) - 1, old[from + 1] as number) & mask;
      while (this.#slots[slot * WORDS] !== 0) slot = (slot + 1) & mask;
      this.#slots.set(old.subarray(from, from + WORDS), slot * WORDS);
    }
  }
}

function hash(code: number, offset: number): number {
  const mixed = Math.imul(code, 0x9e3779b1) ^ Math.imul(offset, 0x85ebca6b);
  return mixed ^ (mixed >>> 15);
}
