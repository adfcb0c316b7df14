const PIECE_BYTES = 1024 * 1024;
const LONGEST_VARINT = 10;

/** Bytes written one number at a time, handed on in large pieces, which are used again. */
export class CaptureBytes {
  readonly #write: (bytes: Uint8Array) => void;
  readonly #piece = new Uint8Array(PIECE_BYTES);
  /** Bytes in the piece that were not handed on. */
  length = 0;

  constructor(write: (bytes: Uint8Array) => void) {
    this.#write = write;
  }

  byte(value: number): void {
    if (this.length === PIECE_BYTES) this.flush();
    this.#piece[this.length++] = value;
  }

  bytes(bytes: Uint8Array): void {
    for (const byte of bytes) this.byte(byte);
  }

  /** Below 2^53. */
  varint(value: number): void {
    if (this.length + LONGEST_VARINT > PIECE_BYTES) this.flush();
    let rest = value;
    while (rest >= 0x8000_0000) {
      this.#piece[this.length++] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    while (rest > 127) {
      this.#piece[this.length++] = (rest & 127) | 128;
      rest >>>= 7;
    }
    this.#piece[this.length++] = rest;
  }

  zigzag(value: number): void {
    this.varint(value >= 0 ? value * 2 : -value * 2 - 1);
  }

  flush(): void {
    this.#write(this.#piece.subarray(0, this.length));
    this.length = 0;
  }
}
