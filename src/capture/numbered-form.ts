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
/** Bytes of the longest record of an allocation or a free, and of a node. */
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
  /** Per thread: the last address of the capture; the last block freed and the last range's address of the form. */
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

  /**
   * Writes records until there is no more room, one is to be copied, or the capture ends; the new length. One function
   * with its state in locals, as the decoder's: every compressed capture has come through here.
   */
  #rewrite(out: Uint8Array, length: number, room: number): number {
    const window = this.#window;
    const numbers = this.#numbers;
    let bytes = window.bytes;
    let pos = window.position;
    let start = pos;
    let to = length;
    let thread = this.#thread;
    let written = this.#written;
    let block = this.#block;
    let address = this.#lastAddress.at(thread);
    let freed = this.#lastFreed.at(thread);

    while (to < room && this.#copying === 0) {
      start = pos;
      if (pos > window.limit) {
        window.start = window.position = pos;
        window.ensure(MARGIN);
        bytes = window.bytes;
        start = pos = window.position;
      }
      const tag = bytes[pos++] as number;
      const type = tag & 15;

      if (type >= Type.MALLOC && type <= Type.MUNMAP) {
        let allocator = 0;
        if (type === Type.ALLOC) allocator = bytes[pos++] as number;
        const fields = pos;
        if (type !== Type.FREE && type !== Type.MUNMAP) {
          if ((tag & Flag.SAME_STACK) === 0) while ((bytes[pos++] as number) > 127);
          if ((tag & Flag.SAME_SIZE) === 0) while ((bytes[pos++] as number) > 127);
        }
        const fieldsEnd = pos;
        let newAddress = address;
        if ((tag & Flag.SAME_ADDRESS) === 0) {
          let value = bytes[pos++] as number;
          if (value > 127) {
            value = window.longVarint(bytes, pos, value);
            pos = window.varintEnd;
          }
          if (value < 0x80000000) {
            const half = value >>> 1;
            const difference = (half >>> 1) ^ -(half & 1);
            newAddress += (value & 1) === 0 ? difference * 8 : difference;
          } else {
            const half = Math.floor(value / 2);
            newAddress += half * 2 === value ? unzigzag(half) * 8 : unzigzag(half);
          }
        }
        const addressEnd = pos;
        if (type === Type.MUNMAP) while ((bytes[pos++] as number) > 127);
        if (pos - start > LONGEST) throw window.corrupt(start, "a number is longer than ten bytes");
        if (pos > window.end) break;
        if (!(newAddress >= 0 && newAddress < ADDRESS_LIMIT)) throw window.corrupt(start, "an address is out of range");
        if (type === Type.ALLOC && !isAllocator(allocator)) {
          throw window.corrupt(start, `${allocator} is not the number of an allocator`);
        }
        address = newAddress;

        if (type === Type.FREE) {
          const number = numbers.remove(address);
          if (number !== 0) {
            if (thread !== written) to = putSwitch(out, to, thread);
            written = thread;
            to = putFree(out, to, number - freed - 1);
            freed = number;
          }
        } else {
          if (thread !== written) to = putSwitch(out, to, thread);
          written = thread;
          const isRange =
            type >= Type.MMAP || allocator === AllocatorType.MMAP || allocator === AllocatorType.HEAP_PAGES;
          if (!isRange) {
            const replaced = numbers.add(address, ++block);
            if (replaced !== 0) {
              to = putFree(out, to, replaced - freed - 1);
              freed = replaced;
            }
            out[to++] = tag & ~Flag.SAME_ADDRESS;
            if (type === Type.ALLOC) out[to++] = allocator;
            for (let i = fields; i < fieldsEnd; i++) out[to++] = bytes[i] as number;
          } else {
            const last = this.#lastRange.at(thread);
            this.#lastRange.items[thread] = address;
            let rangeTag = tag & ~Flag.SAME_ADDRESS;
            if (type === Type.ALLOC) {
              rangeTag = (tag & (Flag.SAME_STACK | Flag.SAME_SIZE)) | Type.MMAP;
              if (allocator === AllocatorType.HEAP_PAGES) rangeTag |= Flag.HEAP_PAGES;
            }
            out[to++] = address === last ? rangeTag | Flag.SAME_ADDRESS : rangeTag;
            for (let i = fields; i < fieldsEnd; i++) out[to++] = bytes[i] as number;
            if (address !== last) to = putDifference(out, to, address - last);
            for (let i = addressEnd; i < pos; i++) out[to++] = bytes[i] as number;
          }
        }
      } else if (type === Type.NODE) {
        if ((tag & Flag.PARENT_IS_PREVIOUS) === 0) while ((bytes[pos++] as number) > 127);
        if ((tag & Flag.FRAME_IS_NEXT) === 0) while ((bytes[pos++] as number) > 127);
        if (pos - start > LONGEST) throw window.corrupt(start, "a number is longer than ten bytes");
        if (pos > window.end) break;
        for (let i = start; i < pos; i++) out[to++] = bytes[i] as number;
      } else if (type === Type.SWITCH) {
        let next = bytes[pos++] as number;
        if (next > 127) {
          next = window.longVarint(bytes, pos, next);
          pos = window.varintEnd;
        }
        if (pos > window.end) break;
        if (next >= this.#lastAddress.length)
          throw window.corrupt(start, `thread ${next} is used before it is defined`);
        this.#lastAddress.items[thread] = address;
        this.#lastFreed.items[thread] = freed;
        thread = next;
        address = this.#lastAddress.at(thread);
        freed = this.#lastFreed.at(thread);
      } else if (tag === Type.END) {
        break;
      } else {
        window.start = start;
        window.position = pos;
        if (!this.#skipRare(tag, start)) break;
        // A snapshot is one of the thread's.
        if (type === Type.EXTENDED && thread !== written) {
          to = putSwitch(out, to, thread);
          written = thread;
        }
        pos = window.position;
        for (let i = start; i < pos; i++) out[to++] = bytes[i] as number;
      }
      start = pos;
    }

    if (to < room && this.#copying === 0) this.#ended = true;
    window.position = start;
    this.#thread = thread;
    this.#written = written;
    this.#block = block;
    this.#lastAddress.items[thread] = address;
    this.#lastFreed.items[thread] = freed;
    return to;
  }

  /**
   * Moves the window's position, which is after the `tag` at `start`, behind a record that is not on the hot path, or
   * before its content, where that can be long. False where the input ends inside of it.
   */
  #skipRare(tag: number, start: number): boolean {
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
    let varints = VARINTS_OF_TYPE[type] ?? 2;
    if (type === Type.FRAME && (tag & Flag.NATIVE_FRAME) === 0) {
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

function isAllocator(number: number): boolean {
  return number !== 0 && number !== AllocatorType.FREE && number !== AllocatorType.MUNMAP;
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

function unzigzag(value: number): number {
  const half = Math.floor(value / 2);
  return half * 2 === value ? half : -half - 1;
}
