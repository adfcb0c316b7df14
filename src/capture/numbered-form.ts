import { isDeallocator, isRange } from "./allocators.js";
import { BlockNumbers } from "./block-numbers.js";
import type { ByteSource } from "./byte-source.js";
import { ByteWindow, MARGIN } from "./byte-window.js";
import { Float64Column } from "./columns.js";
import { readHeader } from "./header.js";
import { AllocatorType, Extended, Flag, MAGIC, MAX_STRING_BYTES, NUMBERED_VERSION, Type } from "./wire.js";

/** Addresses are below this. */
const ADDRESS_LIMIT = 2 ** 48;
/** More bytes than the records between two checks of the room are written with, but for the content of long ones. */
const SLACK = 2 * MARGIN;
/** Bytes that are written before it is looked whether a function was compiled meanwhile. */
const STRETCH = 64 * 1024;
/** Bytes of the longest record of an allocation or a free. */
const LONGEST = 42;

/** Varints in the records that are copied as they are. */
const VARINTS_OF_TYPE: Readonly<Record<number, number>> = { [Type.FUNCTION]: 4, [Type.SCRIPT]: 2, [Type.THREAD]: 3 };

/**
 * The numbered form of a capture: the same records, in which blocks have numbers in place of their addresses, which
 * compress far better (docs/capture-format.md, version 3). Made in pieces, front to back, in memory that grows with the
 * live blocks only; what is not about an address is copied without being looked at.
 */
export class NumberedForm {
  readonly #window: ByteWindow;
  readonly #numbers = new BlockNumbers();
  /** Number of the block allocated last. */
  #block = 0;
  #thread = 0;
  /** Thread of the records written last: the form has a SWITCH only where a record follows it. */
  #written = 0;
  /** Of the present thread: the last address of the capture, the last block freed. */
  #address = 0;
  #freed = 0;
  /** Per thread, but for the present one: the last address of the capture; the last block freed and the last range's address of the form. */
  readonly #lastAddress = new Float64Column(16);
  readonly #lastFreed = new Float64Column(16);
  readonly #lastRange = new Float64Column(16);
  /** Bytes from the window's position on that are to be copied before the next record. */
  #copying = 0;
  /** What is being copied is the last there is. */
  #last = false;
  #ended = false;

  /**
   * @returns undefined where the capture has no numbered form: it is aggregated, or has it already
   * @throws CaptureError where the source does not start with the header of a capture that can be read
   */
  static of(source: ByteSource): NumberedForm | undefined {
    const window = new ByteWindow(source);
    const { version, header } = readHeader(window);
    if (version >= NUMBERED_VERSION || header.options.fileFormat === "AGGREGATED_ALLOCATIONS") return undefined;
    return new NumberedForm(window);
  }

  private constructor(window: ByteWindow) {
    this.#window = window;
    // All of the header is there still.
    new DataView(window.bytes.buffer).setUint32(MAGIC.length, NUMBERED_VERSION, true);
    this.#copying = window.position;
    window.position = 0;
    this.#addThread();
  }

  /**
   * The form's next bytes; undefined at its end.
   * @param bytes how many, or a little more
   * @throws CaptureError `CORRUPT` where the capture contradicts its format; what was made until then is of no use
   */
  next(bytes: number): Uint8Array | undefined {
    const piece = new Uint8Array(bytes + SLACK);
    let length = 0;
    while (length < bytes && !this.#ended) {
      length = this.#copying > 0 ? this.#copy(piece, length, bytes) : this.#rewrite(piece, length, bytes);
    }
    return length === 0 ? undefined : piece.subarray(0, length);
  }

  /** Copies what is to be copied, as far as the window and the room go; the new length. */
  #copy(piece: Uint8Array, length: number, room: number): number {
    const window = this.#window;
    window.start = window.position;
    window.ensure(1);
    const count = Math.min(this.#copying, window.end - window.position, room - length);
    piece.set(window.bytes.subarray(window.position, window.position + count), length);
    window.position += count;
    this.#copying -= count;
    if (count === 0 || (this.#copying === 0 && this.#last)) this.#ended = true;
    return length + count;
  }

  /** Writes records until there is no more room, the content of one is to be copied, or the capture ends; the new length. */
  #rewrite(piece: Uint8Array, length: number, room: number): number {
    const window = this.#window;
    let to = length;
    while (to < room && this.#copying === 0 && !this.#ended) {
      if (window.position > window.limit) {
        window.start = window.position;
        window.ensure(MARGIN);
      }
      to = this.#rewriteBlocks(piece, to, Math.min(room, to + STRETCH));
      if (to < room && window.position <= window.limit) to = this.#rewriteOther(piece, to);
    }
    return to;
  }

  /**
   * Writes the blocks' records and the switches between threads that come next, as far as window and room go; the new
   * length. One function with its state in locals, which is what rewriting a capture costs; with nothing else in it, so
   * that it is compiled soon.
   */
  #rewriteBlocks(out: Uint8Array, length: number, room: number): number {
    const window = this.#window;
    const numbers = this.#numbers;
    // Before they are compiled, reading a local is faster than what another module exports.
    const { FREE, SWITCH, MALLOC, REALLOC } = Type;
    const { SAME_STACK, SAME_SIZE, SAME_ADDRESS } = Flag;
    const { bytes, end, limit } = window;
    let pos = window.position;
    let start = pos;
    let to = length;
    let thread = this.#thread;
    let written = this.#written;
    let address = this.#address;
    let freed = this.#freed;

    while (to < room && pos <= limit) {
      start = pos;
      const tag = bytes[pos++] as number;
      const type = tag & 15;
      if (type === SWITCH) {
        const next = bytes[pos++] as number;
        if (next > 127 || next >= this.#lastAddress.length || pos > end) break;
        this.#lastAddress.items[thread] = address;
        this.#lastFreed.items[thread] = freed;
        thread = next;
        address = this.#lastAddress.at(thread);
        freed = this.#lastFreed.at(thread);
        start = pos;
        continue;
      }
      if (type !== FREE && (type < MALLOC || type > REALLOC)) break;
      const fields = pos;
      if (type !== FREE) {
        if ((tag & SAME_STACK) === 0) while ((bytes[pos++] as number) > 127);
        if ((tag & SAME_SIZE) === 0) while ((bytes[pos++] as number) > 127);
      }
      const fieldsEnd = pos;
      let newAddress = address;
      if ((tag & SAME_ADDRESS) === 0) {
        let value = bytes[pos++] as number;
        if (value > 127) {
          value = window.longVarint(bytes, pos, value);
          pos = window.varintEnd;
        }
        if (value < 0x80000000) {
          const half = value >>> 1;
          newAddress += ((half >>> 1) ^ -(half & 1)) * (8 - 7 * (value & 1));
        } else {
          newAddress += differenceOf(value);
        }
      }
      // Of a record that was cut short or is damaged, the other function says so.
      if (pos > end || pos - start > LONGEST || !(newAddress >= 0 && newAddress < ADDRESS_LIMIT)) break;
      address = newAddress;
      const number = type === FREE ? numbers.remove(address) : numbers.add(address, ++this.#block);
      if (thread !== written && (number !== 0 || type !== FREE)) {
        to = putSwitch(out, to, thread);
        written = thread;
      }
      if (number !== 0) {
        to = putFree(out, to, number - freed - 1);
        freed = number;
      }
      if (type !== FREE) {
        out[to++] = tag & ~SAME_ADDRESS;
        for (let i = fields; i < fieldsEnd; i++) out[to++] = bytes[i] as number;
      }
      start = pos;
    }

    window.position = start;
    this.#thread = thread;
    this.#written = written;
    this.#address = address;
    this.#freed = freed;
    return to;
  }

  /** Writes one record of any kind, or finds the capture's end; the new length. */
  #rewriteOther(out: Uint8Array, length: number): number {
    const window = this.#window;
    const { bytes } = window;
    const start = window.position;
    const tag = bytes[start] as number;
    const type = tag & 15;
    if (type >= Type.MALLOC && type <= Type.MUNMAP) return this.#rewriteAllocation(out, length, start);
    window.position++;
    window.start = start;
    if (tag === Type.END || !this.#skip(tag, start)) {
      window.position = start;
      this.#ended = true;
      return length;
    }
    // A SWITCH is written where a record follows it.
    if (type === Type.SWITCH) return length;
    // A snapshot is one of the thread's.
    const to = type === Type.EXTENDED ? this.#putThread(out, length) : length;
    return put(out, to, bytes, start, window.position);
  }

  #rewriteAllocation(out: Uint8Array, length: number, start: number): number {
    const window = this.#window;
    const { bytes } = window;
    const tag = bytes[start] as number;
    const type = tag & 15;
    window.position = start + 1;
    const allocator = type === Type.ALLOC ? (bytes[window.position++] as number) : 0;
    const fields = window.position;
    if (type !== Type.FREE && type !== Type.MUNMAP) {
      if ((tag & Flag.SAME_STACK) === 0) window.varint();
      if ((tag & Flag.SAME_SIZE) === 0) window.varint();
    }
    const fieldsEnd = window.position;
    const address = this.#address + ((tag & Flag.SAME_ADDRESS) === 0 ? differenceOf(window.varint()) : 0);
    const addressEnd = window.position;
    if (type === Type.MUNMAP) window.varint();
    if (window.overrun) {
      window.position = start;
      this.#ended = true;
      return length;
    }
    if (!(address >= 0 && address < ADDRESS_LIMIT)) throw window.corrupt(start, "an address is out of range");
    if (type === Type.ALLOC && (allocator === 0 || isDeallocator(allocator))) {
      throw window.corrupt(start, `${allocator} is not the number of an allocator`);
    }
    this.#address = address;
    if (type === Type.FREE) {
      const number = this.#numbers.remove(address);
      return number === 0 ? length : this.#putFree(out, this.#putThread(out, length), number);
    }
    let to = this.#putThread(out, length);
    if (type >= Type.MMAP || isRange(allocator)) {
      const difference = address - this.#lastRange.at(this.#thread);
      this.#lastRange.items[this.#thread] = address;
      out[to++] = rangeTag(tag, allocator) | (difference === 0 ? Flag.SAME_ADDRESS : 0);
      to = put(out, to, bytes, fields, fieldsEnd);
      if (difference !== 0) to = putDifference(out, to, difference);
      return put(out, to, bytes, addressEnd, window.position);
    }
    const replaced = this.#numbers.add(address, ++this.#block);
    if (replaced !== 0) to = this.#putFree(out, to, replaced);
    out[to++] = tag & ~Flag.SAME_ADDRESS;
    if (type === Type.ALLOC) out[to++] = allocator;
    return put(out, to, bytes, fields, fieldsEnd);
  }

  /** Tells the thread of what follows, where it is another one. */
  #putThread(out: Uint8Array, to: number): number {
    if (this.#thread === this.#written) return to;
    this.#written = this.#thread;
    return putSwitch(out, to, this.#thread);
  }

  #putFree(out: Uint8Array, to: number, number: number): number {
    const difference = number - this.#freed - 1;
    this.#freed = number;
    return putFree(out, to, difference);
  }

  /**
   * Moves the window's position, which is after the `tag` at `start`, behind a record that is no allocation, or before its
   * content, where that can be long. False where the input ends inside of it.
   */
  #skip(tag: number, start: number): boolean {
    const window = this.#window;
    const type = tag & 15;
    if (type === Type.END) throw window.corrupt(start, "an end record has flags");
    if (type === Type.STRING || type === Type.EXTENDED) {
      const subtype = type === Type.EXTENDED ? window.bytes[window.position++] : undefined;
      const length = window.varint();
      if (window.overrun) return false;
      if (length > MAX_STRING_BYTES) throw window.corrupt(start, `a record claims ${length} bytes`);
      this.#copying = length;
      this.#last = subtype === Extended.TRAILER;
      return true;
    }
    if (type === Type.SWITCH) return this.#switch(start);
    let varints = VARINTS_OF_TYPE[type] ?? 2;
    if (type === Type.NODE) {
      varints = ((tag & Flag.PARENT_IS_PREVIOUS) === 0 ? 1 : 0) + ((tag & Flag.FRAME_IS_NEXT) === 0 ? 1 : 0);
    } else if (type === Type.FRAME && (tag & Flag.NATIVE_FRAME) === 0) {
      const inlined = window.varint();
      if (!window.overrun && (inlined < 1 || inlined > 255)) {
        throw window.corrupt(start, `a frame claims ${inlined} functions`);
      }
      varints = 3 * inlined;
    }
    const first = window.position;
    for (let i = 0; i < varints && !window.overrun; i++) window.varint();
    if (window.overrun) return false;
    if (type === Type.THREAD) this.#defineThread(start, first);
    return true;
  }

  #switch(start: number): boolean {
    const thread = this.#window.varint();
    if (this.#window.overrun) return false;
    if (thread >= this.#lastAddress.length) {
      throw this.#window.corrupt(start, `thread ${thread} is used before it is defined`);
    }
    this.#lastAddress.items[this.#thread] = this.#address;
    this.#lastFreed.items[this.#thread] = this.#freed;
    this.#thread = thread;
    this.#address = this.#lastAddress.at(thread);
    this.#freed = this.#lastFreed.at(thread);
    return true;
  }

  /** Makes room for a thread, whose record at `start` begins with its index, at `first`. */
  #defineThread(start: number, first: number): void {
    const window = this.#window;
    const after = window.position;
    window.position = first;
    const index = window.varint();
    window.position = after;
    const next = this.#lastAddress.length;
    if (index < 1 || index > next) throw window.corrupt(start, `thread ${index} is defined before thread ${next}`);
    if (index === next) this.#addThread();
  }

  #addThread(): void {
    this.#lastAddress.push(0);
    this.#lastFreed.push(0);
    this.#lastRange.push(0);
  }
}

/** The tag of a range's record without an address, from that of any record that is about one. */
function rangeTag(tag: number, allocator: number): number {
  if ((tag & 15) !== Type.ALLOC) return tag & ~Flag.SAME_ADDRESS;
  const same = tag & (Flag.SAME_STACK | Flag.SAME_SIZE);
  return Type.MMAP | same | (allocator === AllocatorType.HEAP_PAGES ? Flag.HEAP_PAGES : 0);
}

/** Copies the bytes [from, end). */
function put(out: Uint8Array, to: number, bytes: Uint8Array, from: number, end: number): number {
  for (let i = from; i < end; i++) out[to++] = bytes[i] as number;
  return to;
}

function putSwitch(out: Uint8Array, to: number, thread: number): number {
  out[to++] = Type.SWITCH;
  return putVarint(out, to, thread);
}

/** `difference`: from the number after the thread's last freed one. */
function putFree(out: Uint8Array, to: number, difference: number): number {
  out[to++] = Type.FREE;
  return putVarint(out, to, zigzag(difference));
}

function putDifference(out: Uint8Array, to: number, difference: number): number {
  return putVarint(out, to, difference % 8 === 0 ? zigzag(difference / 8) * 2 : zigzag(difference) * 2 + 1);
}

function putVarint(out: Uint8Array, to: number, value: number): number {
  let rest = value;
  while (rest > 0x7fff_ffff) {
    out[to++] = (rest % 128) | 128;
    rest = Math.floor(rest / 128);
  }
  while (rest > 127) {
    out[to++] = (rest & 127) | 128;
    rest >>>= 7;
  }
  out[to++] = rest;
  return to;
}

function zigzag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value;
}

/** The difference of addresses that a varint holds. */
function differenceOf(value: number): number {
  const half = Math.floor(value / 2);
  return half * 2 === value ? unzigzag(half) * 8 : unzigzag(half);
}

function unzigzag(value: number): number {
  const half = Math.floor(value / 2);
  return half * 2 === value ? half : -half - 1;
}
