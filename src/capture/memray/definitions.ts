import { type ByteWindow, MARGIN } from "../byte-window.js";
import type { CaptureTables } from "../tables.js";
import type { MemrayHeader } from "./header.js";
import { type InterpreterLoop, NativeTraces } from "./native-traces.js";
import { PythonFrames } from "./python-frames.js";
import { Record } from "./records.js";
import { unzigzag } from "./zigzag.js";

const MAX_TEXT_BYTES = 16 * 1024 * 1024;
const MAX_SEGMENTS = 65_536;

const utf8 = new TextDecoder();

/**
 * What both of memray's file formats define in the same way: code objects, threads and their names, native frames and the
 * modules that they are in. Each method reads a record from the window's position, which is after its first byte, and is
 * false where the input ends inside of it.
 */
export class Definitions {
  readonly frames: PythonFrames;
  readonly native: NativeTraces;
  readonly #window: ByteWindow;
  readonly #tables: CaptureTables;
  /** By memray's number of a thread: its index. */
  readonly #threads = new Map<number, number>();
  #firstLine = 0;
  #instruction = 0;

  constructor(window: ByteWindow, tables: CaptureTables, header: MemrayHeader, loop?: InterpreterLoop) {
    this.#window = window;
    this.#tables = tables;
    this.frames = new PythonFrames(tables, header.pythonVersion);
    this.native = new NativeTraces(tables, (text) => this.frames.stringOf(text), loop);
  }

  /** The index of the thread that memray numbers `tid`. */
  threadOf(tid: number): number {
    const known = this.#threads.get(tid);
    if (known !== undefined) return known;
    const { threadTid, threadName } = this.#tables;
    const index = threadTid.length;
    threadTid.push(tid);
    threadName.push(0);
    this.#threads.set(tid, index);
    return index;
  }

  readThreadName(thread: number): boolean {
    const name = this.#text();
    if (name === undefined) return false;
    if (thread === 0) throw this.#window.corrupt(this.#window.start, "a thread's name comes before the thread");
    this.#tables.threadName.items[thread] = this.frames.stringOf(name);
    return true;
  }

  readCodeObject(): boolean {
    const window = this.#window;
    const code = window.varint();
    const name = this.#text();
    const file = name === undefined ? undefined : this.#text();
    if (name === undefined || file === undefined) return false;
    window.ensure(MARGIN);
    const firstLine = this.#firstLine + unzigzag(window.varint());
    const length = window.varint();
    if (window.overrun) return false;
    if (length > MAX_TEXT_BYTES) throw window.corrupt(window.start, `a code object claims ${length} bytes`);
    if (!window.ensure(length)) return false;
    const lineTable = window.bytes.slice(window.position, window.position + length);
    window.position += length;
    this.#firstLine = firstLine;
    this.frames.define(code, name, file, firstLine, lineTable);
    return true;
  }

  /** Its number differs from `last` by what the record says; undefined where the input ends inside of it. */
  readNativeFrame(last: number): number | undefined {
    const window = this.#window;
    const instruction = this.#instruction + unzigzag(window.varint());
    const caller = last + unzigzag(window.varint());
    if (window.overrun) return undefined;
    if (caller < 0 || caller > this.native.length) {
      throw window.corrupt(window.start, `native frame ${caller} is used before it is defined`);
    }
    this.#instruction = instruction;
    this.native.add(instruction, caller);
    return caller;
  }

  /** The parts of a module that are in memory, and where. */
  readSegments(): boolean {
    const window = this.#window;
    const path = this.#text();
    if (path === undefined) return false;
    window.ensure(MARGIN);
    const count = window.varint();
    const bias = this.u64();
    if (window.overrun) return false;
    if (count > MAX_SEGMENTS) throw window.corrupt(window.start, `a module claims ${count} segments`);
    for (let i = 0; i < count; i++) {
      window.ensure(MARGIN);
      const type = window.bytes[window.position++];
      const start = this.u64();
      const length = window.varint();
      if (window.overrun) return false;
      if (type !== Record.SEGMENT) throw window.corrupt(window.start, "a module has fewer segments than it says");
      this.native.addSegment(path, bias, bias + start, bias + start + length);
    }
    return true;
  }

  /** Eight bytes; exact below 2^53. */
  u64(): number {
    const { view, position } = this.#window;
    this.#window.position += 8;
    return view.getUint32(position, true) + view.getUint32(position + 4, true) * 2 ** 32;
  }

  /** A text up to its zero; undefined where the input ends before. */
  #text(): string | undefined {
    const window = this.#window;
    const length = window.lengthBefore(0, MAX_TEXT_BYTES);
    if (length === undefined) return undefined;
    const text = utf8.decode(window.bytes.subarray(window.position, window.position + length));
    window.position += length + 1;
    return text;
  }
}
