import { AllocatorType, Extended, Flag, MAGIC, RECORDED_VERSION, Type } from "../../src/capture/wire.js";

/** What `new CaptureWriter()` puts into the header. */
export const HEADER = {
  pid: 4711,
  mainThreadId: 4711,
  commandLine: ["node", "app.js", "--fast"],
  cwd: "/srv/app",
  runtime: { name: "node", version: "v24.21.0", engine: "v8 13.6.233.17" },
  arch: "x64",
  platform: "linux",
  startTimeMs: 1_700_000_000_000,
  heaprayVersion: "0.1.0",
  options: { fileFormat: "ALL_ALLOCATIONS", nativeTraces: false, memoryIntervalMs: 10 },
};

/** The header of an aggregated capture. */
export const AGGREGATED_HEADER = {
  ...HEADER,
  options: { ...HEADER.options, fileFormat: "AGGREGATED_ALLOCATIONS" },
};

export interface LogicalFrame {
  readonly function: number;
  readonly line?: number;
  readonly column?: number;
}

interface ThreadState {
  node: number;
  size: number;
  address: number;
}

const utf8 = new TextEncoder();

/**
 * Writes captures for tests, independently of the agent and of the decoder: docs/capture-format.md again, in the
 * simplest way. Numbers are BigInts inside, so that no rounding of the reader's kind can hide here.
 */
export class CaptureWriter {
  #bytes = new Uint8Array(1024);
  #length = 0;
  readonly #threads: ThreadState[] = [{ node: 0, size: 0, address: 0 }];
  #thread = 0;
  #strings = new Map<string, number>();
  #stringCount = 0;
  #scripts = 0;
  #functions = 0;
  #frames = 0;
  #modules = 0;
  #nodes = 0;
  #previousFrame = 0;

  constructor(header: object = HEADER, version: number = RECORDED_VERSION) {
    const metadata = utf8.encode(JSON.stringify(header));
    this.raw(...MAGIC);
    this.#u32(version);
    this.#u32(metadata.length);
    this.bytes(metadata);
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#length;
  }

  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  raw(...bytes: number[]): this {
    return this.bytes(Uint8Array.from(bytes));
  }

  bytes(bytes: Uint8Array): this {
    while (this.#length + bytes.length > this.#bytes.length) {
      const grown = new Uint8Array(this.#bytes.length * 2);
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
    return this;
  }

  varint(value: number | bigint): this {
    let rest = BigInt(value);
    const bytes: number[] = [];
    do {
      const more = rest > 127n;
      bytes.push(Number(rest & 127n) | (more ? 128 : 0));
      rest >>= 7n;
    } while (rest > 0n);
    return this.raw(...bytes);
  }

  zigzag(value: number | bigint): this {
    return this.varint(zigzagged(BigInt(value)));
  }

  /** Defines the string where it is new; its id. */
  string(text: string): number {
    if (text === "") return 0;
    const known = this.#strings.get(text);
    if (known !== undefined) return known;
    const bytes = utf8.encode(text);
    this.raw(Type.STRING).varint(bytes.length).bytes(bytes);
    this.#strings.set(text, ++this.#stringCount);
    return this.#stringCount;
  }

  script(url: string, sourceMapUrl = ""): number {
    const urlId = this.string(url);
    const mapId = this.string(sourceMapUrl);
    this.raw(Type.SCRIPT).varint(urlId).varint(mapId);
    return ++this.#scripts;
  }

  function(name: string, script: number, line = 0, column = 0): number {
    const nameId = this.string(name);
    this.raw(Type.FUNCTION).varint(nameId).varint(script).varint(line).varint(column);
    return ++this.#functions;
  }

  /** A physical frame of the logical frames, innermost first. */
  frame(...logical: LogicalFrame[]): number {
    this.raw(Type.FRAME).varint(logical.length);
    for (const { function: id, line = 0, column = 0 } of logical) this.varint(id).varint(line).varint(column);
    return ++this.#frames;
  }

  /** A physical frame of machine code. */
  nativeFrame(module: number, address: number): number {
    this.raw(Type.FRAME | Flag.NATIVE_FRAME)
      .varint(module)
      .varint(address);
    return ++this.#frames;
  }

  /** `buildId`: in hexadecimal. */
  module(path: string, buildId = "", bias = 0): number {
    const bytes = Uint8Array.from(buildId.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
    this.#varints(Extended.MODULE, [this.string(path), bias, bytes.length], bytes);
    return ++this.#modules;
  }

  /** The name that a native frame's module has for it. */
  symbol(frame: number, name: string): this {
    return this.#varints(Extended.SYMBOL, [frame, this.string(name)]);
  }

  node(parent: number, frame: number): number {
    const id = ++this.#nodes;
    const parentIsPrevious = parent === id - 1;
    const frameIsNext = frame === this.#previousFrame + 1;
    this.raw(Type.NODE | (parentIsPrevious ? Flag.PARENT_IS_PREVIOUS : 0) | (frameIsNext ? Flag.FRAME_IS_NEXT : 0));
    if (!parentIsPrevious) this.varint(id - parent);
    if (!frameIsNext) this.zigzag(frame - this.#previousFrame);
    this.#previousFrame = frame;
    return id;
  }

  /** A stack of new functions `name@file:line:column`, outermost first; its node. */
  stack(...frames: string[]): number {
    let node = 0;
    for (const text of frames) {
      const [, name = "", file = "", line = "0", column = "0"] = /^(.*?)@(.*?)(?::(\d+))?(?::(\d+))?$/.exec(text) ?? [];
      const id = this.function(name, this.script(file), 1, 1);
      node = this.node(node, this.frame({ function: id, line: Number(line), column: Number(column) }));
    }
    return node;
  }

  thread(index: number, tid: number, name: string): this {
    const nameId = this.string(name);
    this.raw(Type.THREAD).varint(index).varint(tid).varint(nameId);
    this.#threads[index] ??= { node: 0, size: 0, address: 0 };
    return this;
  }

  switchTo(index: number): this {
    if (index === this.#thread) return this;
    this.#thread = index;
    return this.raw(Type.SWITCH).varint(index);
  }

  allocation(allocator: AllocatorType, node: number, size: number, address: number): this {
    const state = this.#threads[this.#thread] as ThreadState;
    let tag: number;
    if (allocator === AllocatorType.MALLOC) tag = Type.MALLOC;
    else if (allocator === AllocatorType.CALLOC) tag = Type.CALLOC;
    else if (allocator === AllocatorType.REALLOC) tag = Type.REALLOC;
    else if (allocator === AllocatorType.MMAP) tag = Type.MMAP;
    else if (allocator === AllocatorType.HEAP_PAGES) tag = Type.MMAP | Flag.HEAP_PAGES;
    else tag = Type.ALLOC;
    const isAlloc = tag === Type.ALLOC;
    if (node === state.node) tag |= Flag.SAME_STACK;
    if (size === state.size) tag |= Flag.SAME_SIZE;
    if (address === state.address) tag |= Flag.SAME_ADDRESS;
    this.raw(tag);
    if (isAlloc) this.raw(allocator);
    if (node !== state.node) this.zigzag(node - state.node);
    if (size !== state.size) this.varint(size);
    this.#address(address);
    state.node = node;
    state.size = size;
    return this;
  }

  malloc(node: number, size: number, address: number): this {
    return this.allocation(AllocatorType.MALLOC, node, size, address);
  }

  mmap(node: number, size: number, address: number): this {
    return this.allocation(AllocatorType.MMAP, node, size, address);
  }

  free(address: number): this {
    const same = address === (this.#threads[this.#thread] as ThreadState).address;
    return this.raw(Type.FREE | (same ? Flag.SAME_ADDRESS : 0)).#address(address);
  }

  munmap(address: number, size: number): this {
    const same = address === (this.#threads[this.#thread] as ThreadState).address;
    return this.raw(Type.MUNMAP | (same ? Flag.SAME_ADDRESS : 0))
      .#address(address)
      .varint(size);
  }

  extended(subtype: number, content: Uint8Array): this {
    return this.raw(Type.EXTENDED, subtype).varint(content.length).bytes(content);
  }

  snapshot(timeMs: number, rss: number, heapUsed = 0, heapCommitted = 0, external = 0, ...later: number[]): this {
    return this.#varints(Extended.SNAPSHOT, [timeMs, rss, heapUsed, heapCommitted, external, ...later]);
  }

  /** A location of an aggregated capture. */
  location(
    thread: number,
    node: number,
    allocator: number,
    [peakCount, peakBytes, liveCount, liveBytes]: readonly [number, number, number, number],
  ): this {
    return this.#varints(Extended.LOCATION, [thread, node, allocator, peakCount, peakBytes, liveCount, liveBytes]);
  }

  totals(allocations: number, bytes: number): this {
    return this.#varints(Extended.TOTALS, [allocations, bytes]);
  }

  trailer(endTimeMs: number, reason = "exit"): this {
    return this.extended(Extended.TRAILER, utf8.encode(JSON.stringify({ endTimeMs, reason })));
  }

  #varints(subtype: number, values: readonly number[], bytes = new Uint8Array()): this {
    const content = new CaptureWriter();
    const start = content.length;
    for (const value of values) content.varint(value);
    return this.extended(subtype, content.bytes(bytes).finish().slice(start));
  }

  #address(address: number): this {
    const state = this.#threads[this.#thread] as ThreadState;
    const difference = BigInt(address) - BigInt(state.address);
    if (difference !== 0n) {
      if (difference % 8n === 0n) this.varint(zigzagged(difference / 8n) * 2n);
      else this.varint(zigzagged(difference) * 2n + 1n);
    }
    state.address = address;
    return this;
  }

  #u32(value: number): void {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, value, true);
    this.bytes(bytes);
  }
}

function zigzagged(value: bigint): bigint {
  return value >= 0n ? value * 2n : -value * 2n - 1n;
}
