/**
 * Where a capture's bytes come from, front to back: a file, memory, a socket.
 */
export interface ByteSource {
  /** What to call it in messages: a path, an address. */
  readonly name: string;
  /** Bytes in all, as far as known now; undefined for an endless source. */
  readonly size: number | undefined;
  /** Whether these bytes were unpacked, so that their offsets are not those of the file. */
  readonly compressed?: boolean;
  /** Whether more bytes may come after all that are there have been read. */
  readonly growing?: boolean;
  /**
   * Copies the next bytes into `target` at `offset`, at most `length` of them, and returns how many; 0 is the end, or
   * where the source is growing, the end for now.
   * @throws CaptureError when reading fails.
   */
  read(target: Uint8Array, offset: number, length: number): number;
  /** Ends the source before the zeros that it ends with, where it can look there; to be called before anything is read. */
  dropZerosAtEnd?(): void;
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

/** A capture that arrives in pieces. What was read is not kept. */
export class ArrivingByteSource implements ByteSource {
  readonly name: string;
  readonly size = undefined;
  readonly growing = true;
  #pieces: Uint8Array[] = [];
  /** Bytes of the first piece that were read. */
  #read = 0;

  constructor(name: string) {
    this.name = name;
  }

  /** Adds the bytes that come next; they are not copied. */
  push(bytes: Uint8Array): void {
    if (bytes.length > 0) this.#pieces.push(bytes);
  }

  read(target: Uint8Array, offset: number, length: number): number {
    const first = this.#pieces[0];
    if (first === undefined) return 0;
    const count = Math.min(length, first.length - this.#read);
    target.set(first.subarray(this.#read, this.#read + count), offset);
    this.#read += count;
    if (this.#read === first.length) {
      this.#pieces.shift();
      this.#read = 0;
    }
    return count;
  }

  close(): void {
    this.#pieces = [];
  }
}
