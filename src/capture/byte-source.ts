/**
 * Where a capture's bytes come from, front to back: a file, memory, later a socket.
 */
export interface ByteSource {
  /** What to call it in messages: a path, an address. */
  readonly name: string;
  /** Bytes in all, as far as known now; undefined for an endless source. */
  readonly size: number | undefined;
  /** Whether these bytes were unpacked, so that their offsets are not those of the file. */
  readonly compressed?: boolean;
  /**
   * Copies the next bytes into `target` at `offset`, at most `length` of them, and returns how many; 0 is the end.
   * @throws CaptureError when reading fails.
   */
  read(target: Uint8Array, offset: number, length: number): number;
  /** Lets go of what the source holds; harmless when repeated. */
  close(): void;
}

/** A capture that is in memory. */
export class MemoryByteSource implements ByteSource {
  readonly name: string;
  readonly size: number;
  readonly #bytes: Uint8Array;
  #position = 0;

  constructor(bytes: Uint8Array, name = "capture") {
    this.#bytes = bytes;
    this.name = name;
    this.size = bytes.length;
  }

  read(target: Uint8Array, offset: number, length: number): number {
    const count = Math.min(length, this.#bytes.length - this.#position);
    target.set(this.#bytes.subarray(this.#position, this.#position + count), offset);
    this.#position += count;
    return count;
  }

  close(): void {}
}
