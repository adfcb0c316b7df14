import { Flag, MAGIC, RECORDED_VERSION, Type } from "../../src/capture/wire.js";
import { CaptureBytes } from "./capture-bytes.js";

/** What a synthetic capture is like. */
export interface Shape {
  /** Allocations and frees, at least; at most some more. */
  readonly records: number;
  /** Blocks live at the same time, once that many were allocated: a few of them are replaced all the time, at random. */
  readonly live: number;
  /** Distinct stacks that allocate. */
  readonly stacks: number;
  readonly threads: number;
  /** Frames in a stack. */
  readonly depth: number;
}

export const SHAPE: Shape = { records: 2_000_000, live: 10_000, stacks: 10_000, threads: 4, depth: 20 };

const FRAMES = 5000;
const FUNCTIONS = 2000;
const SCRIPTS = 200;
/** Stacks that make six of ten allocations. */
const HOT_STACKS = 64;
const STACKS_PER_CHAIN = 16;
const CHAINS_PER_TRUNK = 64;
/** Sizes are multiples of 16, as malloc rounds them. */
const SIZE_CLASSES = 40;
const RECORDS_PER_SNAPSHOT = 20_000;
const RECORDS_PER_SWITCH = 200;
const MAPPINGS = 50;
const PAGE = 4096;

/**
 * Writes a capture shaped like a busy program's, in pieces: nine of ten blocks are short-lived (freed within the next
 * few), the others are kept; freed addresses are used again, the last one first; six of ten allocations come from a few
 * hot stacks and the rest from all of them. The same shape gives the same bytes.
 * @returns the records written: allocations, frees and snapshots
 */
export function writeSyntheticCapture(shape: Shape, write: (bytes: Uint8Array) => void): number {
  const program = new SyntheticProgram(shape, new CaptureBytes(write));
  return program.run();
}

class SyntheticProgram {
  readonly #shape: Shape;
  readonly #out: CaptureBytes;
  #seed = 12345;
  #records = 0;

  // Stack nodes, 0 where not defined yet.
  readonly #leafNode: Uint32Array;
  readonly #chainNode: Uint32Array;
  readonly #trunkNode: Uint32Array;
  #nodes = 0;
  #previousFrame = 0;

  // Per thread, what its last record had.
  #thread = 0;
  readonly #lastNode: Uint32Array;
  readonly #lastSize: Float64Array;
  readonly #lastAddress: Float64Array;

  #nextAddress = 0x5500_0000_0000;
  readonly #freed: number[][] = Array.from({ length: SIZE_CLASSES }, () => []);
  readonly #keptAddress: Float64Array;
  readonly #keptClass: Uint8Array;
  #kept = 0;
  readonly #recentAddress: number[] = [];
  readonly #recentClass: number[] = [];
  #mappings = 0;

  constructor(shape: Shape, out: CaptureBytes) {
    this.#shape = shape;
    this.#out = out;
    this.#leafNode = new Uint32Array(shape.stacks + shape.threads);
    this.#chainNode = new Uint32Array(Math.ceil(this.#leafNode.length / STACKS_PER_CHAIN));
    this.#trunkNode = new Uint32Array(Math.ceil(this.#chainNode.length / CHAINS_PER_TRUNK));
    this.#lastNode = new Uint32Array(shape.threads + 1);
    this.#lastSize = new Float64Array(shape.threads + 1);
    this.#lastAddress = new Float64Array(shape.threads + 1);
    this.#keptAddress = new Float64Array(shape.live);
    this.#keptClass = new Uint8Array(shape.live);
  }

  run(): number {
    const { records, live } = this.#shape;
    this.#header();
    this.#definitions();
    this.#switchTo(1);
    // All that is kept is there after a third of the records, if there are enough of them.
    const keep = Math.min(0.95, Math.max(0.1, live / (records / 6)));
    let [snapshots, switches] = [0, 0];
    while (this.#records < records) {
      if (this.#records >= snapshots * RECORDS_PER_SNAPSHOT) this.#snapshot(snapshots++);
      if (this.#records >= switches * RECORDS_PER_SWITCH) {
        this.#switchTo(1 + this.#below(this.#shape.threads));
        switches++;
      }
      if (this.#below(5000) === 0) this.#remap();
      const sizeClass = this.#sizeClass();
      const address = this.#allocate(sizeClass);
      if (this.#random() < (this.#kept < live ? keep : 0.1)) this.#keep(address, sizeClass);
      else {
        this.#recentAddress.push(address);
        this.#recentClass.push(sizeClass);
      }
      const most = this.#below(12);
      while (this.#recentAddress.length > most) this.#freeRecent();
    }
    this.#snapshot(snapshots);
    this.#extended(2, new TextEncoder().encode(JSON.stringify({ endTimeMs: 1_700_000_100_000, reason: "exit" })));
    this.#out.flush();
    return this.#records;
  }

  #random(): number {
    this.#seed = (Math.imul(this.#seed, 1664525) + 1013904223) >>> 0;
    return this.#seed / 2 ** 32;
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  #header(): void {
    const metadata = new TextEncoder().encode(
      JSON.stringify({
        pid: 4711,
        mainThreadId: 4711,
        commandLine: ["node", "synthetic.js"],
        cwd: "/srv/app",
        runtime: { name: "node", version: "v24.21.0", engine: "v8 13.6.233.17" },
        arch: "x64",
        platform: "linux",
        startTimeMs: 1_700_000_000_000,
        heaprayVersion: "0.1.0",
        options: { fileFormat: "ALL_ALLOCATIONS", nativeTraces: false, memoryIntervalMs: 10 },
      }),
    );
    const numbers = new DataView(new ArrayBuffer(8));
    numbers.setUint32(0, RECORDED_VERSION, true);
    numbers.setUint32(4, metadata.length, true);
    for (const bytes of [MAGIC, new Uint8Array(numbers.buffer), metadata]) this.#out.bytes(bytes);
  }

  #definitions(): void {
    const string = (text: string): void => {
      const bytes = new TextEncoder().encode(text);
      this.#out.byte(Type.STRING);
      this.#out.varint(bytes.length);
      this.#out.bytes(bytes);
    };
    const record = (type: number, ...values: number[]): void => {
      this.#out.byte(type);
      for (const value of values) this.#out.varint(value);
    };
    for (let i = 1; i <= SCRIPTS; i++) {
      string(`/srv/app/src/part${i % 20}/file${i}.js`);
      record(Type.SCRIPT, i, 0);
    }
    for (let i = 1; i <= FUNCTIONS; i++) {
      string(`function${i}`);
      record(Type.FUNCTION, SCRIPTS + i, 1 + (i % SCRIPTS), i, 10);
    }
    for (let i = 1; i <= FRAMES; i++) record(Type.FRAME, 1, 1 + (i % FUNCTIONS), i, 5 + (i % 40));
    for (let i = 1; i <= this.#shape.threads; i++) {
      string(`thread ${i}`);
      record(Type.THREAD, i, 100 + i, SCRIPTS + FUNCTIONS + i);
    }
  }

  #switchTo(thread: number): void {
    if (thread === this.#thread) return;
    this.#thread = thread;
    this.#out.byte(Type.SWITCH);
    this.#out.varint(thread);
  }

  #snapshot(index: number): void {
    const content = new Uint8Array(64);
    const bytes = new CaptureBytes((piece) => content.set(piece));
    for (const value of [index * 10, 1e8 + index * 1000, 3e7, 5e7, 1e6]) bytes.varint(value);
    const { length } = bytes;
    bytes.flush();
    this.#extended(1, content.subarray(0, length));
    this.#records++;
  }

  #extended(subtype: number, content: Uint8Array): void {
    this.#out.byte(Type.EXTENDED);
    this.#out.byte(subtype);
    this.#out.varint(content.length);
    this.#out.bytes(content);
  }

  /** Small sizes are common. */
  #sizeClass(): number {
    return Math.floor(this.#random() ** 2 * SIZE_CLASSES);
  }

  #allocate(sizeClass: number): number {
    let address = this.#freed[sizeClass]?.pop();
    if (address === undefined) {
      address = this.#nextAddress;
      this.#nextAddress += 16 * (sizeClass + 2);
    }
    const type = this.#below(10);
    const size = 16 * (sizeClass + 1) - (type & 8);
    this.#allocation(type === 0 ? Type.CALLOC : type === 1 ? Type.REALLOC : Type.MALLOC, size, address);
    return address;
  }

  #keep(address: number, sizeClass: number): void {
    let slot = this.#kept;
    if (slot < this.#keptAddress.length) this.#kept++;
    else {
      slot = this.#below(slot);
      this.#free(this.#keptAddress[slot] as number, this.#keptClass[slot] as number);
    }
    this.#keptAddress[slot] = address;
    this.#keptClass[slot] = sizeClass;
  }

  #freeRecent(): void {
    const addresses = this.#recentAddress;
    const classes = this.#recentClass;
    const index = this.#below(addresses.length);
    this.#free(addresses[index] as number, classes[index] as number);
    addresses[index] = addresses[addresses.length - 1] as number;
    classes[index] = classes[classes.length - 1] as number;
    addresses.pop();
    classes.pop();
  }

  /** A mapping goes, another comes. */
  #remap(): void {
    const at = (index: number): number => 0x7f00_0000_0000 + (index % (4 * MAPPINGS)) * 16 * PAGE;
    const size = (index: number): number => PAGE * (1 + (index % 16));
    if (this.#mappings >= MAPPINGS) {
      const old = this.#mappings - MAPPINGS;
      this.#address(Type.MUNMAP, 0, 0, at(old));
      this.#out.varint(size(old));
      this.#records++;
    }
    this.#allocation(Type.MMAP, size(this.#mappings), at(this.#mappings));
    this.#mappings++;
  }

  #allocation(type: number, size: number, address: number): void {
    const node = this.#node();
    const lastNode = this.#lastNode[this.#thread] as number;
    let flags = 0;
    if (node === lastNode) flags |= Flag.SAME_STACK;
    if (size === this.#lastSize[this.#thread]) flags |= Flag.SAME_SIZE;
    this.#lastNode[this.#thread] = node;
    this.#lastSize[this.#thread] = size;
    this.#address(type | flags, node - lastNode, size, address);
    this.#records++;
  }

  #free(address: number, sizeClass: number): void {
    this.#address(Type.FREE, 0, 0, address);
    this.#freed[sizeClass]?.push(address);
    this.#records++;
  }

  /** The tag of a record that has an address, and what it has until then. */
  #address(tag: number, nodeDifference: number, size: number, address: number): void {
    const out = this.#out;
    const difference = address - (this.#lastAddress[this.#thread] as number);
    this.#lastAddress[this.#thread] = address;
    out.byte(difference === 0 ? tag | Flag.SAME_ADDRESS : tag);
    const type = tag & 15;
    if (type !== Type.FREE && type !== Type.MUNMAP) {
      if ((tag & Flag.SAME_STACK) === 0) out.zigzag(nodeDifference);
      if ((tag & Flag.SAME_SIZE) === 0) out.varint(size);
    }
    // All addresses are multiples of eight.
    if (difference !== 0) out.varint((difference >= 0 ? difference / 4 : -difference / 4 - 1) * 2);
  }

  /** The node of some stack of the thread, defined where it is new. */
  #node(): number {
    const { stacks, threads, depth } = this.#shape;
    const any = this.#random() < 0.6 ? this.#below(Math.min(HOT_STACKS * threads, stacks)) : this.#below(stacks);
    const stack = any - (any % threads) + this.#thread - 1;
    const known = this.#leafNode[stack] as number;
    if (known !== 0) return known;
    const chain = Math.floor(stack / STACKS_PER_CHAIN);
    const trunk = Math.floor(chain / CHAINS_PER_TRUNK);
    const trunkDepth = Math.floor(depth / 2);
    this.#trunkNode[trunk] ||= this.#grow(0, trunkDepth, trunk);
    this.#chainNode[chain] ||= this.#grow(this.#trunkNode[trunk] as number, depth - trunkDepth - 1, chain);
    const leaf = this.#grow(this.#chainNode[chain] as number, 1, stack);
    this.#leafNode[stack] = leaf;
    return leaf;
  }

  /** Defines `count` nodes, each the next one's parent; the last. */
  #grow(parent: number, count: number, seed: number): number {
    let node = parent;
    for (let i = 0; i < count; i++) {
      const frame = 1 + (((Math.imul(seed, 7919) + i * 31) >>> 0) % FRAMES);
      const id = ++this.#nodes;
      const isPrevious = node === id - 1;
      this.#out.byte(Type.NODE | (isPrevious ? Flag.PARENT_IS_PREVIOUS : 0));
      if (!isPrevious) this.#out.varint(id - node);
      this.#out.zigzag(frame - this.#previousFrame);
      this.#previousFrame = frame;
      node = id;
    }
    return node;
  }
}
