import { AggregateTable } from "./aggregate.js";
import { isDeallocator, isRange } from "./allocators.js";
import type { ByteSource } from "./byte-source.js";
import { ByteWindow, MARGIN } from "./byte-window.js";
import type { CaptureEnd, CaptureSource } from "./capture-source.js";
import { Float64Column, Uint32Column } from "./columns.js";
import { readDefinition } from "./definitions.js";
import { type EventBatch, SNAPSHOT_EVENT } from "./event-batch.js";
import { readExtended } from "./extended.js";
import { readHeader } from "./header.js";
import type { CaptureHeader } from "./records.js";
import { CaptureTables } from "./tables.js";
import { type GunzipMember, UnpackedSource } from "./unpacked-source.js";
import { AllocatorType, Flag, NUMBERED_VERSION, Type } from "./wire.js";

// As constants of this module they are part of the code; V8 reads properties of another module's objects each time.
const { END, MALLOC, ALLOC, FREE, MMAP, MUNMAP, NODE, SWITCH, EXTENDED } = Type;
const { SAME_STACK, SAME_SIZE, SAME_ADDRESS, HEAP_PAGES, PARENT_IS_PREVIOUS, FRAME_IS_NEXT } = Flag;
const FREE_EVENT = AllocatorType.FREE;
const MUNMAP_EVENT = AllocatorType.MUNMAP;

/** Addresses and sizes are below this. */
const ADDRESS_LIMIT = 2 ** 48;

/** In four bytes of varints, the bits that are not set in the last byte of each. */
const LAST_BYTE_BITS = 0x8080_8080 | 0;

/** Allocator of the record types that imply one. */
const ALLOCATOR_OF_TYPE = new Uint8Array(16);
ALLOCATOR_OF_TYPE[Type.MALLOC] = AllocatorType.MALLOC;
ALLOCATOR_OF_TYPE[Type.CALLOC] = AllocatorType.CALLOC;
ALLOCATOR_OF_TYPE[Type.REALLOC] = AllocatorType.REALLOC;
ALLOCATOR_OF_TYPE[Type.MMAP] = AllocatorType.MMAP;

export interface DecoderOptions {
  /** Bytes to ask the source for at a time; 1 MiB unless told. */
  readonly chunkBytes?: number;
  /** Called after each chunk with the bytes read until now; of a compressed capture, its compressed bytes. */
  readonly onRead?: (bytesRead: number) => void;
  /** Unpacks a part of a compressed capture; one that runs anywhere unless told. */
  readonly gunzip?: GunzipMember;
}

/**
 * Decodes heapray's own format (docs/capture-format.md), compressed or not.
 *
 * Each record is read whole before anything of it is kept: at the end of the input the window continues with zeros, so
 * a record that was cut short is noticed by the position having passed the window's end, and the capture ends before it.
 */
export class CaptureDecoder implements CaptureSource {
  readonly header: CaptureHeader;
  readonly tables = new CaptureTables();
  readonly aggregate = new AggregateTable();
  end: CaptureEnd | undefined;

  readonly #source: ByteSource;
  readonly #window: ByteWindow;
  /** Blocks have numbers in place of addresses. */
  readonly #numbered: boolean;
  #finished = false;
  /** All that a growing source had was read. */
  #waiting = false;

  #thread = 0;
  /** Per thread: the last stack node, size and address. */
  readonly #lastNode = new Uint32Column(16);
  readonly #lastSize = new Float64Column(16);
  readonly #lastAddress = new Float64Column(16);
  /** Per thread, where blocks are numbered: the number of the block that it freed last. Its last address is a range's. */
  readonly #lastFreed = new Float64Column(16);
  /** Number of the block allocated last. */
  #lastBlock = 0;
  /** Frame of the node defined last. */
  #previousFrame = 0;

  /** @throws CaptureError when the source does not start with the header of a capture that can be read. */
  constructor(source: ByteSource, options: DecoderOptions = {}) {
    const unpacked = new UnpackedSource(source, options.gunzip);
    this.#source = unpacked;
    this.#window = new ByteWindow(unpacked, options.chunkBytes);
    this.#window.onRead = () => options.onRead?.(unpacked.bytesTaken);
    const { header, version } = readHeader(this.#window);
    this.header = header;
    this.#numbered = version >= NUMBERED_VERSION;
    this.#addThread();
  }

  close(): void {
    this.#finished = true;
    this.#source.close();
  }

  /** Whether all has been read that will ever be there. */
  get finished(): boolean {
    return this.#finished;
  }

  /** Where the source is growing, false says that no whole event is there now: to be called again when more came. */
  next(batch: EventBatch): boolean {
    batch.clear();
    if (this.#waiting) this.#window.resume();
    this.#waiting = false;
    while (batch.length === 0 && !this.#finished && !this.#waiting) this.#fill(batch);
    return batch.length > 0;
  }

  /**
   * Decodes until the batch is full or the capture ends. One function with its state in locals, because this loop is
   * what reading a capture costs; records that are rare have methods of their own.
   */
  #fill(batch: EventBatch): void {
    const { kind, thread: threadOf, node: nodeOf, size: sizeOf, address: addressOf, capacity } = batch;
    const window = this.#window;
    const tables = this.tables;
    let bytes = window.bytes;
    let view = window.view;
    let pos = window.position;
    let end = window.end;
    let limit = window.limit;

    let thread = this.#thread;
    let node = this.#lastNode.at(thread);
    let size = this.#lastSize.at(thread);
    let address = this.#lastAddress.at(thread);
    const numbered = this.#numbered;
    let freed = this.#lastFreed.at(thread);
    let block = this.#lastBlock;
    let count = batch.length;
    let start = pos;

    while (count < capacity) {
      start = pos;
      if (pos > limit) {
        window.start = window.position = pos;
        window.ensure(MARGIN);
        bytes = window.bytes;
        view = window.view;
        start = pos = window.position;
        end = window.end;
        limit = window.limit;
      }
      const tag = bytes[pos++] as number;
      const type = tag & 15;

      if (type >= MALLOC && type <= MUNMAP) {
        let newNode = node;
        let newSize = size;
        let newAddress = address;
        let allocator = ALLOCATOR_OF_TYPE[type] as number;
        if (type === FREE) {
          allocator = FREE_EVENT;
        } else if (type === MUNMAP) {
          allocator = MUNMAP_EVENT;
        } else {
          if (type === ALLOC) allocator = bytes[pos++] as number;
          else if (type === MMAP && (tag & HEAP_PAGES) !== 0) allocator = AllocatorType.HEAP_PAGES;
          if ((tag & SAME_STACK) === 0) {
            const word = view.getUint32(pos, true);
            const last = ~word & LAST_BYTE_BITS;
            if (last !== 0) {
              const kept = word & (last ^ (last - 1));
              const value =
                (kept & 0x7f) | ((kept >>> 1) & 0x3f80) | ((kept >>> 2) & 0x1f_c000) | ((kept >>> 3) & 0xfe0_0000);
              newNode = node + ((value >>> 1) ^ -(value & 1));
              pos += (38 - Math.clz32(last & -last)) >>> 3;
            } else {
              const value = window.longVarint(bytes, pos + 1, bytes[pos] as number);
              pos = window.varintEnd;
              newNode = node + unzigzag(value);
            }
          }
          if ((tag & SAME_SIZE) === 0) {
            const word = view.getUint32(pos, true);
            const last = ~word & LAST_BYTE_BITS;
            if (last !== 0) {
              const kept = word & (last ^ (last - 1));
              newSize =
                (kept & 0x7f) | ((kept >>> 1) & 0x3f80) | ((kept >>> 2) & 0x1f_c000) | ((kept >>> 3) & 0xfe0_0000);
              pos += (38 - Math.clz32(last & -last)) >>> 3;
            } else {
              newSize = window.longVarint(bytes, pos + 1, bytes[pos] as number);
              pos = window.varintEnd;
            }
          }
        }
        const isNumber = numbered && type <= FREE;
        if (isNumber) {
          newAddress = block + 1;
          if (type === FREE) {
            let value = bytes[pos++] as number;
            if (value > 127) {
              value = window.longVarint(bytes, pos, value);
              pos = window.varintEnd;
            }
            newAddress = freed + 1 + (value < 0x80000000 ? (value >>> 1) ^ -(value & 1) : unzigzag(value));
          }
        } else if ((tag & SAME_ADDRESS) === 0) {
          const word = view.getUint32(pos, true);
          const last = ~word & LAST_BYTE_BITS;
          if (last !== 0) {
            const kept = word & (last ^ (last - 1));
            const value =
              (kept & 0x7f) | ((kept >>> 1) & 0x3f80) | ((kept >>> 2) & 0x1f_c000) | ((kept >>> 3) & 0xfe0_0000);
            // The lowest bit: not in units of eight; the next one: the sign.
            newAddress += ((value >>> 2) ^ -((value >>> 1) & 1)) << (3 - 3 * (value & 1));
            pos += (38 - Math.clz32(last & -last)) >>> 3;
          } else {
            const value = window.longVarint(bytes, pos + 1, bytes[pos] as number);
            pos = window.varintEnd;
            const half = Math.floor(value / 2);
            newAddress += half * 2 === value ? unzigzag(half) * 8 : unzigzag(half);
          }
        }
        let eventSize = newSize;
        if (type === FREE) {
          eventSize = 0;
        } else if (type === MUNMAP) {
          eventSize = bytes[pos++] as number;
          if (eventSize > 127) {
            eventSize = window.longVarint(bytes, pos, eventSize);
            pos = window.varintEnd;
          }
        }
        if (pos > end) break;
        if (!(newAddress >= 0 && newAddress < ADDRESS_LIMIT)) throw window.corrupt(start, "an address is out of range");
        if (!(eventSize < ADDRESS_LIMIT)) throw window.corrupt(start, "a size is larger than the address space");
        if (newNode < 0 || newNode >= tables.nodeParent.length) {
          throw window.corrupt(start, `stack node ${newNode} is used before it is defined`);
        }
        if (type === ALLOC && (allocator === SNAPSHOT_EVENT || isDeallocator(allocator))) {
          throw window.corrupt(start, `${allocator} is not the number of an allocator`);
        }
        if (!isNumber) {
          address = newAddress;
        } else if (type === FREE) {
          if (newAddress < 1 || newAddress > block) {
            throw window.corrupt(start, `block ${newAddress} is freed before it is allocated`);
          }
          freed = newAddress;
        } else {
          if (isRange(allocator)) throw window.corrupt(start, `${allocator} is not the number of a block's allocator`);
          block = newAddress;
        }
        kind[count] = allocator;
        threadOf[count] = thread;
        sizeOf[count] = eventSize;
        addressOf[count] = newAddress;
        if (type === FREE || type === MUNMAP) {
          nodeOf[count] = 0;
        } else {
          nodeOf[count] = newNode;
          node = newNode;
          size = newSize;
        }
        count++;
      } else if (type === NODE) {
        const parents = tables.nodeParent;
        const id = parents.length;
        let back = 1;
        if ((tag & PARENT_IS_PREVIOUS) === 0) {
          back = bytes[pos++] as number;
          if (back > 127) {
            back = window.longVarint(bytes, pos, back);
            pos = window.varintEnd;
          }
        }
        let frame = this.#previousFrame + 1;
        if ((tag & FRAME_IS_NEXT) === 0) {
          let value = bytes[pos++] as number;
          if (value > 127) {
            value = window.longVarint(bytes, pos, value);
            pos = window.varintEnd;
          }
          frame += (value < 0x80000000 ? (value >>> 1) ^ -(value & 1) : unzigzag(value)) - 1;
        }
        if (pos > end) break;
        if (back < 1 || back > id) throw window.corrupt(start, `the parent of stack node ${id} is not defined`);
        if (frame < 1 || frame >= tables.frameEnd.length) {
          throw window.corrupt(start, `frame ${frame} is used before it is defined`);
        }
        parents.push(id - back);
        tables.nodeFrame.push(frame);
        this.#previousFrame = frame;
      } else if (tag === END) {
        break;
      } else if (type === SWITCH) {
        let to = bytes[pos++] as number;
        if (to > 127) {
          to = window.longVarint(bytes, pos, to);
          pos = window.varintEnd;
        }
        if (pos > end) break;
        if (to >= tables.threadTid.length) throw window.corrupt(start, `thread ${to} is used before it is defined`);
        this.#lastNode.items[thread] = node;
        this.#lastSize.items[thread] = size;
        this.#lastAddress.items[thread] = address;
        this.#lastFreed.items[thread] = freed;
        thread = to;
        node = this.#lastNode.at(thread);
        size = this.#lastSize.at(thread);
        address = this.#lastAddress.at(thread);
        freed = this.#lastFreed.at(thread);
      } else {
        window.start = start;
        window.position = pos;
        if (!this.#readRare(tag, start, batch, count, thread)) {
          start = window.start;
          break;
        }
        // What was read may have moved the window.
        bytes = window.bytes;
        view = window.view;
        pos = window.position;
        end = window.end;
        limit = window.limit;
        if (type === EXTENDED) count = batch.length;
        if (this.#finished) break;
        start = pos;
      }
      start = pos;
    }

    // Anything but a full batch is the end: of the input, in the middle of a record, or at a zero tag.
    if (count < capacity && !this.#finished) {
      const atZero = start < window.end && window.bytes[start] === END;
      if (window.growing && !atZero) this.#waiting = true;
      else this.#finished = true;
    }
    batch.length = count;
    window.start = window.position = start;
    this.#thread = thread;
    this.#lastNode.items[thread] = node;
    this.#lastSize.items[thread] = size;
    this.#lastAddress.items[thread] = address;
    this.#lastFreed.items[thread] = freed;
    this.#lastBlock = block;
  }

  /**
   * Decodes a record that is not on the hot path, from the window's position, which is after its `tag` at `start`.
   * False where the input ends inside of it.
   */
  #readRare(tag: number, start: number, batch: EventBatch, count: number, thread: number): boolean {
    const type = tag & 15;
    if (type === END) throw this.#window.corrupt(start, "an end record has flags");
    if (type !== EXTENDED) {
      if (!readDefinition(tag, start, this.#window, this.tables)) return false;
      while (this.#lastNode.length < this.tables.threadTid.length) this.#addThread();
      return true;
    }
    const extended = readExtended(start, this.#window, this.tables, this.aggregate);
    if (extended === undefined) return false;
    batch.length = count;
    if (extended.snapshot !== undefined) batch.addSnapshot(thread, extended.snapshot);
    if (extended.end !== undefined) {
      this.end = extended.end;
      this.#finished = true;
    }
    return true;
  }

  #addThread(): void {
    this.#lastNode.push(0);
    this.#lastSize.push(0);
    this.#lastAddress.push(0);
    this.#lastFreed.push(0);
  }
}

function unzigzag(value: number): number {
  const half = Math.floor(value / 2);
  return half * 2 === value ? half : -half - 1;
}
