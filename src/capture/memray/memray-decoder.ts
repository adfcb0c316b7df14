import { AggregateTable } from "../aggregate.js";
import type { ByteSource } from "../byte-source.js";
import { ByteWindow, MARGIN } from "../byte-window.js";
import type { CaptureEnd, CaptureSource } from "../capture-source.js";
import type { EventBatch } from "../event-batch.js";
import type { CaptureHeader } from "../records.js";
import { CaptureTables } from "../tables.js";
import { AggregatedRecords } from "./aggregated-records.js";
import { CallStack } from "./call-stack.js";
import { Definitions } from "./definitions.js";
import { type MemrayHeader, readMemrayHeader } from "./header.js";
import type { InterpreterLoop } from "./native-traces.js";
import { ALLOCATORS, MemrayAllocator, Record } from "./records.js";
import { Stacks } from "./stacks.js";
import { unzigzag } from "./zigzag.js";

// As constants of this module they are part of the code.
const { ALLOCATION, FRAME_PUSH, OBJECT, FRAME_POP, CONTEXT_SWITCH } = Record;
const { PYMALLOC_FREE, FREE, MUNMAP } = MemrayAllocator;

/** Addresses and sizes are below this. */
const ADDRESS_LIMIT = 2 ** 48;
/** From here on, doubles do not tell all whole numbers apart. */
const INEXACT = 2 ** 53;
/** memray keeps 15 addresses; of a power of two, the oldest is never asked for. */
const RECENT = 16;
const NOT_RECENT = 15;

export interface MemrayDecoderOptions {
  /** Bytes to ask the source for at a time; 1 MiB unless told. */
  readonly chunkBytes?: number;
  /** Called after each chunk. */
  readonly onRead?: () => void;
  /** Without it, stacks with native traces show the frames of Python only. */
  readonly interpreterLoop?: InterpreterLoop | undefined;
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
  readonly equalPeaks = "last";

  readonly #source: ByteSource;
  readonly #window: ByteWindow;
  readonly #memray: MemrayHeader;
  readonly #definitions: Definitions;
  readonly #stacks: Stacks;
  readonly #aggregated: AggregatedRecords | undefined;
  #finished = false;

  /** By thread index: what it is executing. */
  readonly #threads: CallStack[] = [new CallStack()];
  #thread = 0;
  /** The addresses of the last records: a ring, and where its newest is. */
  readonly #recent = new Float64Array(RECENT);
  #newest = 0;
  /** Last values, from which the next differ. */
  #pointer = 0;
  /** In place of a pointer that is NaN: what it is; and what it becomes with the record being read. */
  #far = 0n;
  #nextFar = 0n;
  #native = 0;

  /** @throws CaptureError when the source does not start with the header of a capture that can be read. */
  constructor(source: ByteSource, options: MemrayDecoderOptions = {}) {
    this.#source = source;
    this.#window = new ByteWindow(source, options.chunkBytes);
    this.#window.onRead = options.onRead;
    this.#memray = readMemrayHeader(this.#window);
    this.header = this.#memray.header;
    this.#definitions = new Definitions(this.#window, this.tables, this.#memray, options.interpreterLoop);
    this.#stacks = new Stacks(this.tables, this.#memray, this.#definitions.native);
    if (this.#memray.aggregated) {
      this.#aggregated = new AggregatedRecords(
        this.#window,
        this.#memray,
        this.#definitions,
        this.#stacks,
        this.aggregate,
      );
    }
  }

  /** Of memray's format. */
  get version(): number {
    return this.#memray.version;
  }

  close(): void {
    this.#finished = true;
    this.#source.close();
  }

  next(batch: EventBatch): boolean {
    batch.clear();
    while (batch.length === 0 && !this.#finished) {
      if (this.#aggregated === undefined) this.#fill(batch);
      else this.#fillAggregated(this.#aggregated, batch);
    }
    return batch.length > 0;
  }

  #fillAggregated(records: AggregatedRecords, batch: EventBatch): void {
    const { more, complete } = records.fill(batch);
    this.#finished = !more;
    if (complete) this.#setEnd();
  }

  #setEnd(): void {
    this.end = { endTimeMs: this.#memray.endTimeMs, reason: "stop" };
  }

  /**
   * Decodes until the batch is full or the capture ends. One function with its state in locals, because this loop is
   * what reading a capture costs; records that are rare have methods of their own.
   */
  #fill(batch: EventBatch): void {
    const { kind, thread: threadOf, node: nodeOf, size: sizeOf, address: addressOf, capacity } = batch;
    const window = this.#window;
    const { frames, native } = this.#definitions;
    const stacks = this.#stacks;
    const { calls } = stacks;
    const { nativeTraces } = this.#memray;
    const recent = this.#recent;
    let bytes = window.bytes;
    let pos = window.position;
    let end = window.end;
    let limit = window.limit;
    let newest = this.#newest;
    let pointer = this.#pointer;
    let thread = this.#thread;
    let stack = this.#threads[thread] as CallStack;
    let lastNative = this.#native;
    let tid = this.tables.threadTid.at(thread);
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
          const at = pos;
          let value = bytes[pos++] as number;
          if (value > 127) {
            value = window.longVarint(bytes, pos, value);
            pos = window.varintEnd;
          }
          newPointer += value < 0x80000000 ? (value >>> 1) ^ -(value & 1) : unzigzag(value);
          if (!(newPointer >= 0 && value < INEXACT)) newPointer = this.#farPointer(pointer, bytes, at);
          address = newPointer * 8;
        } else {
          address = recent[(newest + place) & (RECENT - 1)] as number;
        }
        let allocator = tag & 7;
        if (allocator === 0) allocator = bytes[pos++] as number;
        let size = 0;
        let newNative = lastNative;
        const isFree = allocator === FREE || allocator === PYMALLOC_FREE;
        if (!isFree) {
          if (nativeTraces) {
            let value = bytes[pos++] as number;
            if (value > 127) {
              value = window.longVarint(bytes, pos, value);
              pos = window.varintEnd;
            }
            newNative += unzigzag(value);
          }
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
        const isPossible = address < ADDRESS_LIMIT && size < ADDRESS_LIMIT;
        if (!isPossible && !isFree && allocator !== MUNMAP) {
          throw window.corrupt(start, "an address or a size is out of range");
        }
        if (newNative < 0 || newNative > native.length) {
          throw window.corrupt(start, `native frame ${newNative} is used before it is defined`);
        }
        if (place === NOT_RECENT) {
          newest = (newest - 1) & (RECENT - 1);
          recent[newest] = address;
          pointer = newPointer;
          if (Number.isNaN(pointer)) this.#far = this.#nextFar;
        }
        lastNative = newNative;
        start = pos;
        // Nothing is there: it was not what it was called with, as where mmap fails and its result is unmapped.
        if (!isPossible) continue;
        kind[count] = event;
        threadOf[count] = thread;
        sizeOf[count] = size;
        addressOf[count] = address;
        nodeOf[count] =
          isFree || allocator === MUNMAP ? 0 : stacks.nodeOf(stack.node(calls), newNative, native.generation, tid);
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
        stack.push(stacks.callOf(frame, (tag & 1) === 1));
      } else if (tag >= FRAME_POP && tag < OBJECT) {
        if (pos > end) break;
        if (!stack.pop(tag - FRAME_POP + 1)) throw window.corrupt(start, "a function returns that was not called");
      } else if (tag === CONTEXT_SWITCH) {
        const to = window.view.getUint32(pos, true) + window.view.getUint32(pos + 4, true) * 2 ** 32;
        pos += 8;
        if (pos > end) break;
        thread = this.#threadOf(to);
        tid = to;
        stack = this.#threads[thread] as CallStack;
      } else {
        window.start = start;
        window.position = pos;
        this.#pointer = pointer;
        this.#newest = newest;
        this.#thread = thread;
        this.#native = lastNative;
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
        lastNative = this.#native;
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
    this.#native = lastNative;
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
        this.#setEnd();
        return false;
      case Record.MEMORY: {
        const [rss, timeMs] = [window.varint(), window.varint()];
        if (window.overrun) return false;
        batch.addSnapshot(this.#thread, { timeMs, rss, heapUsed: 0, heapCommitted: 0, external: 0 });
        return true;
      }
      case Record.THREAD:
        return this.#definitions.readThreadName(this.#thread);
      case Record.CODE_OBJECT:
        return this.#definitions.readCodeObject();
      case Record.NATIVE_FRAME: {
        const frame = this.#definitions.readNativeFrame(this.#native);
        if (frame === undefined) return false;
        this.#native = frame;
        return true;
      }
      case Record.MEMORY_MAP_START:
        this.#definitions.native.startGeneration();
        return true;
      case Record.SEGMENT_HEADER:
        return this.#definitions.readSegments();
      default:
        if (tag >= OBJECT && tag < FRAME_PUSH) return this.#readObject(tag);
        throw window.corrupt(window.start, `${tag} is not the type of a record`);
    }
  }

  /**
   * Where a difference of addresses leads that does not fit into a double, or from an address that does not: NaN where
   * that is none that a program can have.
   */
  #farPointer(from: number, bytes: Uint8Array, at: number): number {
    let difference = 0n;
    for (let i = 0; i < 10; i++) {
      const byte = bytes[at + i] as number;
      difference |= BigInt(byte & 127) << BigInt(7 * i);
      if (byte < 128) break;
    }
    const signed = (difference & 1n) === 0n ? difference >> 1n : -(difference >> 1n) - 1n;
    this.#nextFar = BigInt.asUintN(64, (Number.isNaN(from) ? this.#far : BigInt(from)) + signed);
    return this.#nextFar < BigInt(INEXACT) ? Number(this.#nextFar) : Number.NaN;
  }

  /** An object came or went, which is not memory by itself: its record counts for the addresses after it. */
  #readObject(tag: number): boolean {
    const window = this.#window;
    const isNew = ((tag >> 1) & 15) === NOT_RECENT;
    const pointer = this.#pointer + (isNew ? unzigzag(window.varint()) : 0);
    const native = this.#memray.nativeTraces && (tag & 1) === 1 ? unzigzag(window.varint()) : 0;
    if (window.overrun) return false;
    this.#native += native;
    if (isNew) {
      this.#newest = (this.#newest - 1) & (RECENT - 1);
      this.#recent[this.#newest] = pointer * 8;
      this.#pointer = pointer;
    }
    return true;
  }

  #threadOf(tid: number): number {
    const thread = this.#definitions.threadOf(tid);
    while (this.#threads.length <= thread) this.#threads.push(new CallStack());
    return thread;
  }
}
