import { AggregateTable } from "../aggregate.js";
import type { ByteSource } from "../byte-source.js";
import { ByteWindow, MARGIN } from "../byte-window.js";
import type { CaptureEnd, CaptureSource } from "../capture-source.js";
import type { EventBatch } from "../event-batch.js";
import type { CaptureHeader } from "../records.js";
import { CaptureTables } from "../tables.js";
import { CallStack } from "./call-stack.js";
import { type MemrayHeader, readMemrayHeader } from "./header.js";
import { NodeTree } from "./node-tree.js";
import { PythonFrames } from "./python-frames.js";
import { ALLOCATORS, MemrayAllocator, Record } from "./records.js";
import { unzigzag } from "./zigzag.js";

// As constants of this module they are part of the code.
const { ALLOCATION, FRAME_PUSH, OBJECT, FRAME_POP, CONTEXT_SWITCH } = Record;
const { PYMALLOC_FREE, FREE, MUNMAP } = MemrayAllocator;

/** Addresses and sizes are below this. */
const ADDRESS_LIMIT = 2 ** 48;
/** memray keeps 15 addresses; of a power of two, the oldest is never asked for. */
const RECENT = 16;
const NOT_RECENT = 15;
const MAX_TEXT_BYTES = 16 * 1024 * 1024;

export interface MemrayDecoderOptions {
  /** Bytes to ask the source for at a time; 1 MiB unless told. */
  readonly chunkBytes?: number;
  /** Called after each chunk. */
  readonly onRead?: () => void;
}

/**
 * Decodes a capture that memray wrote (docs/memray.md), from its unpacked bytes.
 *
 * Each record is read whole before anything of it is kept: at the end of the input the window continues with zeros, so
 * a record that was cut short is noticed by the position having passed the window's end, and the capture ends before it.
 */
export class MemrayDecoder implements CaptureSource {
  readonly header: CaptureHeader;
  readonly tables = new CaptureTables();
  readonly aggregate = new AggregateTable();
  end: CaptureEnd | undefined;

  readonly #source: ByteSource;
  readonly #window: ByteWindow;
  readonly #memray: MemrayHeader;
  readonly #frames: PythonFrames;
  /** Of the stacks that allocate. */
  readonly #nodes: NodeTree;
  #finished = false;

  /** By memray's number of a thread: its index, and by index what it is executing. */
  readonly #threads = new Map<number, number>();
  readonly #stacks: CallStack[] = [new CallStack(0)];
  #thread = 0;
  /** The addresses of the last records: a ring, and where its newest is. */
  readonly #recent = new Float64Array(RECENT);
  #newest = 0;
  /** Last values, from which the next differ. */
  #pointer = 0;
  #firstLine = 0;

  /** @throws CaptureError when the source does not start with the header of a capture that can be read. */
  constructor(source: ByteSource, options: MemrayDecoderOptions = {}) {
    this.#source = source;
    this.#window = new ByteWindow(source, options.chunkBytes);
    this.#window.onRead = options.onRead;
    this.#memray = readMemrayHeader(this.#window);
    this.header = this.#memray.header;
    this.#frames = new PythonFrames(this.tables, this.#memray.pythonVersion);
    this.#nodes = new NodeTree(this.tables.nodeParent, this.tables.nodeFrame);
  }

  close(): void {
    this.#finished = true;
    this.#source.close();
  }

  next(batch: EventBatch): boolean {
    batch.clear();
    while (batch.length === 0 && !this.#finished) this.#fill(batch);
    return batch.length > 0;
  }

  /**
   * Decodes until the batch is full or the capture ends. One function with its state in locals, because this loop is
   * what reading a capture costs; records that are rare have methods of their own.
   */
  #fill(batch: EventBatch): void {
    const { kind, thread: threadOf, node: nodeOf, size: sizeOf, address: addressOf, capacity } = batch;
    const window = this.#window;
    const frames = this.#frames;
    const nodes = this.#nodes;
    const recent = this.#recent;
    let bytes = window.bytes;
    let pos = window.position;
    let end = window.end;
    let limit = window.limit;
    let newest = this.#newest;
    let pointer = this.#pointer;
    let thread = this.#thread;
    let stack = this.#stacks[thread] as CallStack;
    let count = batch.length;
    let start = pos;

    while (count < capacity) {
      start = pos;
      if (pos > limit) {
        window.start = window.position = pos;
        window.ensure(MARGIN);
        bytes = window.bytes;
        start = pos = window.position;
        end = window.end;
        limit = window.limit;
      }
      const tag = bytes[pos++] as number;

      if (tag >= ALLOCATION) {
        const place = (tag >> 3) & 15;
        let newPointer = pointer;
        let address = 0;
        if (place === NOT_RECENT) {
          let value = bytes[pos++] as number;
          if (value > 127) {
            value = window.longVarint(bytes, pos, value);
            pos = window.varintEnd;
          }
          newPointer += value < 0x80000000 ? (value >>> 1) ^ -(value & 1) : unzigzag(value);
          address = newPointer * 8;
        } else {
          address = recent[(newest + place) & (RECENT - 1)] as number;
        }
        let allocator = tag & 7;
        if (allocator === 0) allocator = bytes[pos++] as number;
        let size = 0;
        if (allocator !== FREE && allocator !== PYMALLOC_FREE) {
          size = bytes[pos++] as number;
          if (size > 127) {
            size = window.longVarint(bytes, pos, size);
            pos = window.varintEnd;
          }
        }
        if (pos > end) break;
        if (thread === 0) throw window.corrupt(start, "an allocation comes before its thread");
        const event = ALLOCATORS[allocator];
        if (event === undefined) throw window.corrupt(start, `${allocator} is not the number of an allocator`);
        if (!(address >= 0 && address < ADDRESS_LIMIT)) throw window.corrupt(start, "an address is out of range");
        if (!(size < ADDRESS_LIMIT)) throw window.corrupt(start, "a size is larger than the address space");
        if (place === NOT_RECENT) {
          newest = (newest - 1) & (RECENT - 1);
          recent[newest] = address;
          pointer = newPointer;
        }
        kind[count] = event;
        threadOf[count] = thread;
        sizeOf[count] = size;
        addressOf[count] = address;
        nodeOf[count] =
          allocator === FREE || allocator === PYMALLOC_FREE || allocator === MUNMAP ? 0 : stack.node(nodes);
        count++;
      } else if (tag >= FRAME_PUSH) {
        let code = bytes[pos++] as number;
        if (code > 127) {
          code = window.longVarint(bytes, pos, code);
          pos = window.varintEnd;
        }
        let offset = bytes[pos++] as number;
        if (offset > 127) {
          offset = window.longVarint(bytes, pos, offset);
          pos = window.varintEnd;
        }
        if (pos > end) break;
        const frame = frames.frameOf(code, unzigzag(offset));
        if (frame === undefined) throw window.corrupt(start, `code object ${code} is used before it is defined`);
        if (thread === 0) throw window.corrupt(start, "a call comes before its thread");
        stack.push(frame);
      } else if (tag >= FRAME_POP && tag < OBJECT) {
        if (pos > end) break;
        if (!stack.pop(tag - FRAME_POP + 1)) throw window.corrupt(start, "a function returns that was not called");
      } else if (tag === CONTEXT_SWITCH) {
        const tid = window.view.getUint32(pos, true) + window.view.getUint32(pos + 4, true) * 2 ** 32;
        pos += 8;
        if (pos > end) break;
        thread = this.#threadOf(tid);
        stack = this.#stacks[thread] as CallStack;
      } else {
        window.start = start;
        window.position = pos;
        this.#pointer = pointer;
        this.#newest = newest;
        this.#thread = thread;
        batch.length = count;
        if (!this.#readRare(tag, batch)) {
          this.#finished = true;
          return;
        }
        // What was read may have moved the window.
        bytes = window.bytes;
        start = pos = window.position;
        end = window.end;
        limit = window.limit;
        pointer = this.#pointer;
        newest = this.#newest;
        count = batch.length;
      }
      start = pos;
    }

    // Anything but a full batch is the end: a record that was cut short.
    if (count < capacity) this.#finished = true;
    batch.length = count;
    window.start = window.position = start;
    this.#newest = newest;
    this.#pointer = pointer;
    this.#thread = thread;
  }

  /**
   * Decodes a record that is not on the hot path, from the window's position, which is after its `tag`. False where
   * nothing comes after it, or the input ends inside of it.
   */
  #readRare(tag: number, batch: EventBatch): boolean {
    const window = this.#window;
    switch (tag) {
      // What memray reserved and had no time to fill.
      case Record.FILLER:
        return false;
      case Record.TRAILER:
        if (window.overrun) return false;
        this.end = { endTimeMs: this.#memray.endTimeMs, reason: "stop" };
        return false;
      case Record.MEMORY: {
        const [rss, timeMs] = [window.varint(), window.varint()];
        if (window.overrun) return false;
        batch.addSnapshot(this.#thread, { timeMs, rss, heapUsed: 0, heapCommitted: 0, external: 0 });
        return true;
      }
      case Record.THREAD: {
        const name = this.#text();
        if (name === undefined) return false;
        if (this.#thread === 0) throw window.corrupt(window.start, "a thread's name comes before the thread");
        this.tables.threadName.items[this.#thread] = this.#frames.stringOf(name);
        return true;
      }
      case Record.CODE_OBJECT:
        return this.#readCodeObject();
      default:
        if (tag >= OBJECT && tag < FRAME_PUSH) return this.#readObject(tag);
        throw window.corrupt(window.start, `${tag} is not the type of a record`);
    }
  }

  #readCodeObject(): boolean {
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
    this.#frames.define(code, name, file, firstLine, lineTable);
    return true;
  }

  /** An object came or went, which is not memory by itself: its record counts for the addresses after it. */
  #readObject(tag: number): boolean {
    const window = this.#window;
    const isNew = ((tag >> 1) & 15) === NOT_RECENT;
    const pointer = this.#pointer + (isNew ? unzigzag(window.varint()) : 0);
    if (window.overrun) return false;
    if (isNew) {
      this.#newest = (this.#newest - 1) & (RECENT - 1);
      this.#recent[this.#newest] = pointer * 8;
      this.#pointer = pointer;
    }
    return true;
  }

  /** A text up to its zero; undefined where the input ends before. */
  #text(): string | undefined {
    const window = this.#window;
    const length = window.lengthBefore(0, MAX_TEXT_BYTES);
    if (length === undefined) return undefined;
    const text = decoder.decode(window.bytes.subarray(window.position, window.position + length));
    window.position += length + 1;
    return text;
  }

  /** The index of the thread that memray numbers `tid`. */
  #threadOf(tid: number): number {
    const known = this.#threads.get(tid);
    if (known !== undefined) return known;
    const { threadTid, threadName } = this.tables;
    const index = threadTid.length;
    threadTid.push(tid);
    threadName.push(0);
    this.#threads.set(tid, index);
    this.#stacks.push(new CallStack(tid === this.#memray.mainThread ? this.#memray.skippedFrames : 0));
    return index;
  }
}

const decoder = new TextDecoder();
