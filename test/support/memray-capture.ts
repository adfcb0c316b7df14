/** Captures in memray's formats, byte by byte. */

const CACHED = 15;
const NOT_CACHED = 15;

export interface MemrayHeaderFields {
  readonly version?: number;
  readonly python?: number;
  readonly native?: boolean;
  readonly aggregated?: boolean;
  readonly commandLine?: string;
  readonly mainThread?: number;
  readonly skippedFrames?: number;
}

export const START_MS = 1_700_000_000_000;
export const END_MS = START_MS + 5000;

/** Writes what memray writes, in the order that it is told. */
export class MemrayWriter {
  readonly #bytes: number[] = [];
  readonly #native: boolean;
  readonly #recent: number[] = [];
  #pointer = 0n;
  #nativeFrame = 0;
  #instruction = 0n;
  #firstLine = 0;

  constructor(fields: MemrayHeaderFields = {}) {
    const { version = 13, python = 0x030b07f0, native = false, aggregated = false } = fields;
    const { commandLine = "app.py --fast", mainThread = 1, skippedFrames = 0 } = fields;
    this.#native = native;
    this.text("memray").u32(version).u32(python).byte(Number(native)).byte(Number(aggregated));
    this.u64(0).u64(0).u64(START_MS).u64(END_MS).text(commandLine).u32(77).u64(mainThread).u64(skippedFrames);
    this.byte(1).byte(0).byte(0);
    if (version >= 13) this.text("/lib/python").text("/lib/site").text("").text("/app").text("/lib").text("");
  }

  get bytes(): Uint8Array<ArrayBuffer> {
    return Uint8Array.from(this.#bytes);
  }

  thread(tid: number, name?: string): this {
    this.byte(12).u64(tid);
    return name === undefined ? this : this.byte(10).text(name);
  }

  code(id: number, name: string, file: string, firstLine: number, table: readonly number[] = []): this {
    this.byte(14).varint(id).text(name).text(file);
    this.zigzag(firstLine - this.#firstLine).varint(table.length);
    this.#firstLine = firstLine;
    for (const byte of table) this.byte(byte);
    return this;
  }

  push(code: number, offset = 0, isEntry = true): this {
    return this.byte(64 + Number(isEntry))
      .varint(code)
      .zigzag(offset);
  }

  pop(count = 1): this {
    for (let left = count; left > 0; left -= 16) this.byte(16 + Math.min(16, left) - 1);
    return this;
  }

  /** `nativeFrame`: where the capture has native traces. */
  allocation(allocator: number, address: number, size: number, nativeFrame = 0): this {
    this.#allocation(allocator, address);
    if (this.#native) this.#writeNativeFrame(nativeFrame);
    return this.varint(size);
  }

  free(address: number, allocator = 5): this {
    this.#allocation(allocator, address);
    return this;
  }

  object(address: number, isCreated: boolean, nativeFrame = 0): this {
    const place = this.#placeOf(address);
    this.byte(32 + place * 2 + Number(isCreated));
    if (place === NOT_CACHED) this.#writePointer(address);
    if (this.#native && isCreated) this.#writeNativeFrame(nativeFrame);
    return this;
  }

  snapshot(timeMs: number, rss: number): this {
    return this.byte(2).varint(rss).varint(timeMs);
  }

  nativeFrame(instruction: number, caller: number): this {
    this.byte(5)
      .zigzag(BigInt(instruction) - this.#instruction)
      .zigzag(caller - this.#nativeFrame);
    this.#instruction = BigInt(instruction);
    this.#nativeFrame = caller;
    return this;
  }

  modules(
    ...modules: readonly { path: string; bias: number; segments: readonly [start: number, size: number][] }[]
  ): this {
    this.byte(6);
    for (const { path, bias, segments } of modules) {
      this.byte(7).text(path).varint(segments.length).u64(bias);
      for (const [start, size] of segments) this.byte(8).u64(start).varint(size);
    }
    return this;
  }

  end(): this {
    return this.byte(1);
  }

  byte(value: number): this {
    this.#bytes.push(value & 255);
    return this;
  }

  u32(value: number): this {
    for (let i = 0; i < 4; i++) this.byte(value >>> (8 * i));
    return this;
  }

  u64(value: number): this {
    for (let i = 0n; i < 8n; i++) this.byte(Number((BigInt(value) >> (8n * i)) & 255n));
    return this;
  }

  text(value: string): this {
    for (const byte of new TextEncoder().encode(value)) this.byte(byte);
    return this.byte(0);
  }

  varint(value: number | bigint): this {
    let rest = BigInt(value);
    for (; rest > 127n; rest >>= 7n) this.byte(Number(rest & 127n) | 128);
    return this.byte(Number(rest));
  }

  zigzag(value: number | bigint): this {
    const signed = BigInt(value);
    return this.varint(signed < 0n ? -2n * signed - 1n : 2n * signed);
  }

  #allocation(allocator: number, address: number): void {
    const place = this.#placeOf(address);
    this.byte(128 + place * 8 + (allocator < 8 ? allocator : 0));
    if (place === NOT_CACHED) this.#writePointer(address);
    if (allocator >= 8) this.byte(allocator);
  }

  #placeOf(address: number): number {
    const place = this.#recent.indexOf(address);
    if (place >= 0) return place;
    this.#recent.unshift(address);
    this.#recent.length = Math.min(this.#recent.length, CACHED);
    return NOT_CACHED;
  }

  #writePointer(address: number): void {
    const pointer = BigInt.asUintN(64, BigInt(address)) >> 3n;
    this.zigzag(pointer - this.#pointer);
    this.#pointer = pointer;
  }

  #writeNativeFrame(frame: number): void {
    this.zigzag(frame - this.#nativeFrame);
    this.#nativeFrame = frame;
  }
}

/** 3.11's table of a function of two instructions, of the first line and the next but one. */
export const TWO_LINES: readonly number[] = [0xe8, 0, 0xe8, 4];

/** A capture with every kind of record that memray writes one by one. */
export function memrayCapture(): Uint8Array<ArrayBuffer> {
  const writer = new MemrayWriter({ native: true, skippedFrames: 1 });
  writer.snapshot(0, 5000).thread(1, "main");
  writer.modules({ path: "/lib/python", bias: 0x1000_0000, segments: [[0, 0x1000]] });
  writer.nativeFrame(0x1000_0800, 0).nativeFrame(0x1000_0010, 1);
  writer.code(1, "<module>", "app.py", 1, TWO_LINES).code(2, "work", "app.py", 10, TWO_LINES).push(1, 2).push(2);
  for (let i = 0; i < 30; i++) {
    writer
      .allocation(6 + (i % 8), 0x7f00_0000_0000 + i * 64, 100 * i, 1 + (i % 2))
      .object(0x7f00_0000_0000, i % 2 === 0, 1);
    if (i % 10 === 0) writer.snapshot(i, 6000 + i).thread(1 + (i % 3), `thread ${i}`);
    if (i % 3 === 0) writer.free(0x7f00_0000_0000 + i * 64);
  }
  writer.thread(1).allocation(14, 0x7f10_0000_0000, 65_536, 2).allocation(15, 0x7f10_0000_1000, 4096, 0).pop(2);
  return writer.end().bytes;
}

/** An aggregated one. */
export function memrayAggregatedCapture(): Uint8Array<ArrayBuffer> {
  const writer = new MemrayWriter({ native: true, aggregated: true });
  writer
    .byte(1)
    .u64(START_MS)
    .u64(5000)
    .u64(0)
    .byte(1)
    .u64(START_MS + 10)
    .u64(9000)
    .u64(700);
  writer.thread(1, "main").thread(2, "other");
  writer.modules({ path: "/lib/python", bias: 0x1000_0000, segments: [[0, 0x1000]] });
  writer.code(1, "<module>", "app.py", 1, TWO_LINES).code(2, "work", "app.py", 10, TWO_LINES);
  writer.nativeFrame(0x1000_0800, 0).nativeFrame(0x1000_0010, 1);
  // Frames by number: code, offset, entry; then stacks: frame, caller.
  writer.byte(4).varint(0).varint(1).zigzag(2).byte(1).byte(4).varint(1).varint(2).zigzag(0).byte(0);
  writer.byte(3).varint(0).varint(0).byte(3).varint(1).varint(1);
  writer.byte(13).varint(0x7f00_0000).varint(1);
  for (const [thread, allocator, native, stack] of [
    [1, 6, 2, 2],
    [2, 14, 0, 1],
    [1, 7, 1, 0],
  ] as const) {
    writer.byte(2).u64(thread).u64(allocator).u64(native).u64(stack).u64(1).u64(3).u64(1).u64(300).u64(100);
  }
  return writer.byte(15).bytes;
}
