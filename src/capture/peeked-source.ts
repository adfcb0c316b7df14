import type { ByteSource } from "./byte-source.js";

/** A source whose first bytes were looked at, and come again. */
export class PeekedSource implements ByteSource {
  readonly name: string;
  readonly size: number | undefined;
  readonly compressed?: boolean;
  /** The first bytes, as many as were asked for, or all there are. */
  readonly start: Uint8Array;
  readonly #source: ByteSource;
  #again = 0;
  /** Bytes that were read from it. */
  bytesGiven = 0;

  constructor(source: ByteSource, bytes: number) {
    this.#source = source;
    this.name = source.name;
    this.size = source.size;
    if (source.compressed) this.compressed = true;
    const start = new Uint8Array(bytes);
    let length = 0;
    for (let count = -1; count !== 0 && length < bytes; length += count) {
      count = source.read(start, length, bytes - length);
    }
    this.start = start.subarray(0, length);
  }

  read(target: Uint8Array, offset: number, length: number): number {
    let count: number;
    if (this.#again === this.start.length) {
      count = this.#source.read(target, offset, length);
    } else {
      count = Math.min(length, this.start.length - this.#again);
      target.set(this.start.subarray(this.#again, this.#again + count), offset);
      this.#again += count;
    }
    this.bytesGiven += count;
    return count;
  }

  dropZerosAtEnd(): void {
    this.#source.dropZerosAtEnd?.();
  }

  close(): void {
    this.#source.close();
  }
}
