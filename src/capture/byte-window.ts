import type { ByteSource } from "./byte-source.js";
import { type CaptureError, corrupt } from "./errors.js";

/** More bytes than any record but STRING and EXTENDED has, so that these can be decoded without asking for more. */
export const MARGIN = 8192;
const MAX_VARINT_BYTES = 10;
const CHUNK = 1024 * 1024;

/**
 * The part of a source that is in memory. The decoder reads `bytes` from `position` on; at the end of the source
 * the bytes after `end` are zeros, MARGIN of them, so that a record cut short decodes to something harmless and
 * shows itself by passing `end`.
 */
export class ByteWindow {
  bytes: Uint8Array;
  /** The same bytes, for numbers of several bytes. */
  view: DataView;
  position = 0;
  end = 0;
  /** Start of the record being read: nothing from here on is dropped, so that the record can be read once more. */
  start = 0;
  /** Where the long varint that was read last ended. */
  varintEnd = 0;
  /** No more bytes will come, or where the source is growing, none are there now. */
  atEnd = false;
  /** Called after each chunk. */
  onRead: (() => void) | undefined;
  readonly #source: ByteSource;
  readonly #chunk: number;
  /** Offset in the source of `bytes[0]`. */
  #base = 0;

  /** `chunk`: bytes to ask the source for at a time. */
  constructor(source: ByteSource, chunk = CHUNK) {
    this.#source = source;
    this.#chunk = chunk;
    this.bytes = new Uint8Array(chunk + 2 * MARGIN);
    this.view = new DataView(this.bytes.buffer);
  }

  get sourceName(): string {
    return this.#source.name;
  }

  /** Positions up to here have MARGIN bytes after them, zeros behind the end included. */
  get limit(): number {
    return this.atEnd ? this.end : this.end - MARGIN;
  }

  /** Whether the position has passed the end: the record being read was cut short. */
  get overrun(): boolean {
    return this.position > this.end;
  }

  /** Whether the source may have more bytes later than those that the window ends with. */
  get growing(): boolean {
    return this.#source.growing === true;
  }

  /** Asks a source that was growing again from now on. */
  resume(): void {
    this.atEnd = false;
  }

  /** Reads until at least `need` bytes follow `position`; false where the source ends before. Keeps what `start` says. */
  ensure(need: number): boolean {
    if (this.end - this.position >= need) return true;
    if (!this.atEnd) this.#dropRead();
    while (this.end - this.position < need && !this.atEnd) this.#readChunk(this.position + need);
    return this.end - this.position >= need;
  }

  #dropRead(): void {
    if (this.start === 0) return;
    this.bytes.copyWithin(0, this.start, this.end);
    this.#base += this.start;
    this.end -= this.start;
    this.position -= this.start;
    this.start = 0;
  }

  #readChunk(need: number): void {
    if (this.end + MARGIN >= this.bytes.length) {
      // Doubling, not jumping to `need`: a length in a damaged file must not decide what is allocated.
      const grown = new Uint8Array(Math.min(2 * this.bytes.length, need + this.#chunk + 2 * MARGIN));
      grown.set(this.bytes.subarray(0, this.end));
      this.bytes = grown;
      this.view = new DataView(grown.buffer);
    }
    const room = this.bytes.length - MARGIN - this.end;
    const count = this.#source.read(this.bytes, this.end, Math.min(room, this.#chunk));
    this.end += count;
    if (count === 0) {
      this.atEnd = true;
      this.bytes.fill(0, this.end, this.end + MARGIN);
    } else {
      this.onRead?.();
    }
  }

  /**
   * How many bytes come before the next one of that value; undefined where the source ends before.
   * @throws CaptureError `CORRUPT` where they are more than `most`
   */
  lengthBefore(value: number, most: number): number | undefined {
    for (let seen = 0; ; ) {
      const found = this.bytes.subarray(this.position + seen, this.end).indexOf(value);
      if (found >= 0) return seen + found;
      seen = Math.max(0, this.end - this.position);
      if (seen > most) throw this.corrupt(this.start, `a text is longer than ${most} bytes`);
      if (!this.ensure(seen + 1)) return undefined;
    }
  }

  /** Reads the varint at the window's position. */
  varint(): number {
    const first = this.bytes[this.position++] as number;
    if (first < 128) return first;
    const value = this.longVarint(this.bytes, this.position, first);
    this.position = this.varintEnd;
    return value;
  }

  /** A varint whose `first` byte, before `pos`, says that more follow. Exact below 2^53. It ends at `varintEnd`. */
  longVarint(bytes: Uint8Array, pos: number, first: number): number {
    let byte = bytes[pos] as number;
    let value = (first & 127) | ((byte & 127) << 7);
    let next = pos + 1;
    if (byte > 127) {
      byte = bytes[next++] as number;
      value |= (byte & 127) << 14;
      if (byte > 127) {
        byte = bytes[next++] as number;
        value |= (byte & 127) << 21;
        if (byte > 127) {
          // 28 bits are full. From here on only doubles hold the value.
          let scale = 2 ** 28;
          do {
            if (next - pos >= MAX_VARINT_BYTES - 1) throw this.corrupt(pos - 1, "a number is longer than ten bytes");
            byte = bytes[next++] as number;
            value += (byte & 127) * scale;
            scale *= 128;
          } while (byte > 127);
        }
      }
    }
    this.varintEnd = next;
    return value;
  }

  /** The error of a record at `start` in the window that contradicts the format. */
  corrupt(start: number, reason: string, cause?: unknown): CaptureError {
    return corrupt(this.sourceName, this.#base + start, reason, cause, this.#source.compressed);
  }
}
