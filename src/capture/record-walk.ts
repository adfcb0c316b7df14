import { AggregateTable } from "./aggregate.js";
import { isDeallocator, isRange } from "./allocators.js";
import type { ByteSource } from "./byte-source.js";
import { ByteWindow, MARGIN } from "./byte-window.js";
import type { CaptureRecord, CaptureWalk } from "./capture-walk.js";
import { Float64Column } from "./columns.js";
import { readDefinition } from "./definitions.js";
import { readExtended } from "./extended.js";
import { readHeader } from "./header.js";
import type { CaptureHeader } from "./records.js";
import { CaptureTables } from "./tables.js";
import { type GunzipMember, UnpackedSource } from "./unpacked-source.js";
import { AllocatorType, Extended, Flag, NUMBERED_VERSION, Type } from "./wire.js";

/** Addresses and sizes are below this. */
const ADDRESS_LIMIT = 2 ** 48;

/**
 * Reads a capture record by record, definitions included, in their order: for looking at the capture itself. What is to be
 * counted is read with CaptureDecoder, which is many times faster.
 */
export class RecordWalk implements CaptureWalk {
  readonly version: number;
  readonly header: CaptureHeader;
  readonly tables = new CaptureTables();
  readonly aggregate = new AggregateTable();

  readonly #window: ByteWindow;
  readonly #numbered: boolean;
  #thread = 0;
  /** Per thread: the last stack node, size, address and freed block. */
  readonly #node = new Float64Column(16);
  readonly #size = new Float64Column(16);
  readonly #address = new Float64Column(16);
  readonly #freed = new Float64Column(16);
  /** Number of the block allocated last. */
  #block = 0;
  #previousFrame = 0;

  /** @throws CaptureError when the source does not start with the header of a capture that can be read. */
  constructor(source: ByteSource, gunzip?: GunzipMember) {
    this.#window = new ByteWindow(new UnpackedSource(source, gunzip));
    const { version, header } = readHeader(this.#window);
    this.version = version;
    this.header = header;
    this.#numbered = version >= NUMBERED_VERSION;
    this.#addThreads();
  }

  /**
   * The records until the capture's end, or until one that was cut short.
   * @throws CaptureError `CORRUPT`
   */
  *records(): Generator<CaptureRecord, void, undefined> {
    const window = this.#window;
    for (;;) {
      window.start = window.position;
      window.ensure(MARGIN);
      const start = window.position;
      if (start >= window.end) return;
      window.start = start;
      const tag = window.bytes[window.position++] as number;
      if (tag === Type.END) return;
      const record = this.#read(tag, start);
      if (record === undefined) return;
      yield record;
      if (record.kind === "trailer") return;
    }
  }

  /** Reads the record whose `tag` is at `start`; undefined where the input ends inside of it. */
  #read(tag: number, start: number): CaptureRecord | undefined {
    const type = tag & 15;
    if (type === Type.END) throw this.#window.corrupt(start, "an end record has flags");
    if (type === Type.EXTENDED) return this.#readExtended(start);
    if (type === Type.NODE) return this.#readNode(tag, start);
    if (type === Type.SWITCH) return this.#readSwitch(start);
    if (type >= Type.MALLOC && type <= Type.MUNMAP) return this.#readAllocation(tag, start);
    if (!readDefinition(tag, start, this.#window, this.tables)) return undefined;
    this.#addThreads();
    return this.#defined(type, start);
  }

  #defined(type: number, start: number): CaptureRecord {
    const { strings, scriptUrl, functionName, frameEnd } = this.tables;
    if (type === Type.STRING) return { kind: "string", id: strings.length - 1 };
    if (type === Type.SCRIPT) return { kind: "script", id: scriptUrl.length - 1 };
    if (type === Type.FUNCTION) return { kind: "function", id: functionName.length - 1 };
    if (type === Type.FRAME) return { kind: "frame", id: frameEnd.length - 1 };
    // A thread's record may be about one that was defined before: the index is the first thing in it.
    return { kind: "thread", id: this.#again(start + 1)[0] };
  }

  /** Two numbers of the record that was just read. */
  #again(position: number): [number, number] {
    const window = this.#window;
    const after = window.position;
    window.position = position;
    const values: [number, number] = [window.varint(), window.varint()];
    window.position = after;
    return values;
  }

  #readNode(tag: number, start: number): CaptureRecord | undefined {
    const window = this.#window;
    const { nodeParent, nodeFrame, frameEnd } = this.tables;
    const id = nodeParent.length;
    const back = (tag & Flag.PARENT_IS_PREVIOUS) === 0 ? window.varint() : 1;
    const frame = this.#previousFrame + ((tag & Flag.FRAME_IS_NEXT) === 0 ? unzigzag(window.varint()) : 1);
    if (window.overrun) return undefined;
    if (back < 1 || back > id) throw window.corrupt(start, `the parent of stack node ${id} is not defined`);
    if (frame < 1 || frame >= frameEnd.length) {
      throw window.corrupt(start, `frame ${frame} is used before it is defined`);
    }
    nodeParent.push(id - back);
    nodeFrame.push(frame);
    this.#previousFrame = frame;
    return { kind: "node", id };
  }

  #readSwitch(start: number): CaptureRecord | undefined {
    const window = this.#window;
    const thread = window.varint();
    if (window.overrun) return undefined;
    if (thread >= this.tables.threadTid.length) {
      throw window.corrupt(start, `thread ${thread} is used before it is defined`);
    }
    this.#thread = thread;
    return { kind: "switch", thread };
  }

  #readAllocation(tag: number, start: number): CaptureRecord | undefined {
    const window = this.#window;
    const type = tag & 15;
    const thread = this.#thread;
    const isFree = type === Type.FREE;
    const isUnmap = type === Type.MUNMAP;
    const allocator = type === Type.ALLOC ? (window.bytes[window.position++] as number) : allocatorOf(tag);
    let node = this.#node.at(thread);
    let size = this.#size.at(thread);
    if (!isFree && !isUnmap) {
      if ((tag & Flag.SAME_STACK) === 0) node += unzigzag(window.varint());
      if ((tag & Flag.SAME_SIZE) === 0) size = window.varint();
    }
    const numbered = this.#numbered && type <= Type.FREE;
    let address = this.#address.at(thread);
    if (numbered) address = isFree ? this.#freed.at(thread) + 1 + unzigzag(window.varint()) : this.#block + 1;
    else if ((tag & Flag.SAME_ADDRESS) === 0) address += differenceOf(window.varint());
    const unmapped = isUnmap ? window.varint() : 0;
    if (window.overrun) return undefined;
    if (!(address >= 0 && address < ADDRESS_LIMIT)) throw window.corrupt(start, "an address is out of range");
    if (!(size < ADDRESS_LIMIT && unmapped < ADDRESS_LIMIT)) {
      throw window.corrupt(start, "a size is larger than the address space");
    }
    if (node < 0 || node >= this.tables.nodeParent.length) {
      throw window.corrupt(start, `stack node ${node} is used before it is defined`);
    }
    if (type === Type.ALLOC && (allocator === 0 || isDeallocator(allocator))) {
      throw window.corrupt(start, `${allocator} is not the number of an allocator`);
    }
    if (numbered && isFree && (address < 1 || address > this.#block)) {
      throw window.corrupt(start, `block ${address} is freed before it is allocated`);
    }
    if (numbered && !isFree && isRange(allocator)) {
      throw window.corrupt(start, `${allocator} is not the number of a block's allocator`);
    }
    if (!numbered) this.#address.items[thread] = address;
    else if (isFree) this.#freed.items[thread] = address;
    else this.#block = address;
    if (isFree) return { kind: "free", thread, address, numbered };
    if (isUnmap) return { kind: "munmap", thread, address, size: unmapped };
    this.#node.items[thread] = node;
    this.#size.items[thread] = size;
    return { kind: "allocation", allocator, thread, node, size, address, numbered };
  }

  #readExtended(start: number): CaptureRecord | undefined {
    const window = this.#window;
    const { tables, aggregate } = this;
    const subtype = window.bytes[window.position] as number;
    const extended = readExtended(start, window, tables, aggregate);
    if (extended === undefined) return undefined;
    if (extended.snapshot !== undefined) return { kind: "snapshot", snapshot: extended.snapshot };
    if (extended.end !== undefined) return { kind: "trailer", end: extended.end };
    if (subtype === Extended.LOCATION) return { kind: "location", row: aggregate.length - 1 };
    if (subtype === Extended.TOTALS) return { kind: "totals" };
    if (subtype === Extended.MODULE) return { kind: "module", id: tables.modulePath.length - 1 };
    // The window may have moved, and has told where the record starts now: tag, subtype, length, content.
    const [bytes, first] = this.#again(window.start + 2);
    if (subtype === Extended.SYMBOL) return { kind: "symbol", frame: first };
    return { kind: "unknown", subtype, bytes };
  }

  #addThreads(): void {
    while (this.#node.length < this.tables.threadTid.length) {
      for (const column of [this.#node, this.#size, this.#address, this.#freed]) column.push(0);
    }
  }
}

function allocatorOf(tag: number): number {
  switch (tag & 15) {
    case Type.MALLOC:
      return AllocatorType.MALLOC;
    case Type.CALLOC:
      return AllocatorType.CALLOC;
    case Type.REALLOC:
      return AllocatorType.REALLOC;
    default:
      return (tag & Flag.HEAP_PAGES) !== 0 ? AllocatorType.HEAP_PAGES : AllocatorType.MMAP;
  }
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
