import type { ByteSource } from "../byte-source.js";
import { type CaptureError, corrupt } from "../errors.js";
import { HISTORY_BYTES, unpackBlock } from "./lz4-block.js";

const FRAME_MAGIC = 0x184d2204;
/** Frames of other contents have sixteen numbers, of which the lowest four bits are free. */
const SKIPPED_MAGIC = 0x184d2a50;
const UNPACKED_BLOCK = 0x8000_0000;
/** By its number in a frame's header, from 4 on: bytes that a block unpacks to at most. */
const BLOCK_BYTES = [64 * 1024, 256 * 1024, 1024 * 1024, 4 * 1024 * 1024];
const PIECE_BYTES = 256 * 1024;

const Flags = { VERSION: 0xc0, BLOCK_CHECKSUM: 0x10, CONTENT_SIZE: 0x08, CONTENT_CHECKSUM: 0x04, DICTIONARY: 0x01 };

/** Whether a frame of LZ4 begins with these bytes. */
export function isLz4(start: Uint8Array): boolean {
  return start.length >= 4 && new DataView(start.buffer, start.byteOffset).getUint32(0, true) === FRAME_MAGIC;
}

/** What a frame's header says. */
interface Frame {
  readonly blockBytes: number;
  readonly blockChecksum: boolean;
  readonly contentChecksum: boolean;
}

/**
 * What frames of LZ4 unpack to, block by block. A source that ends inside of one unpacks as far as its last whole block.
 * Checksums are not looked at: memray writes none.
 */
export class Lz4Source implements ByteSource {
  readonly name: string;
  readonly size = undefined;
  readonly compressed = true;
  readonly #source: ByteSource;
  /** Bytes taken from the source that were not unpacked yet are those from `#at` to `#end`. */
  #packed = new Uint8Array(PIECE_BYTES);
  #at = 0;
  #end = 0;
  /** Offset in the source of the first of them. */
  #base = 0;
  #atEnd = false;
  #frame: Frame | undefined;
  /** What was unpacked last, behind the bytes before it that blocks may repeat. */
  #unpacked = new Uint8Array(HISTORY_BYTES);
  #ready = 0;
  #readyEnd = 0;

  constructor(source: ByteSource) {
    this.#source = source;
    this.name = source.name;
  }

  /** Bytes of the source that were unpacked. */
  get bytesTaken(): number {
    return this.#base + this.#at;
  }

  read(target: Uint8Array, offset: number, length: number): number {
    while (this.#ready === this.#readyEnd) if (this.#atEnd || !this.#unpackMore()) return 0;
    const count = Math.min(length, this.#readyEnd - this.#ready);
    target.set(this.#unpacked.subarray(this.#ready, this.#ready + count), offset);
    this.#ready += count;
    return count;
  }

  close(): void {
    this.#source.close();
  }

  /** Goes on by a header or a block; false at the end. */
  #unpackMore(): boolean {
    const more = this.#frame === undefined ? this.#readHeader() : this.#readBlock(this.#frame);
    this.#atEnd = !more;
    return more;
  }

  #readHeader(): boolean {
    if (!this.#take(4)) return false;
    const magic = this.#u32(this.#at);
    if ((magic & ~15) >>> 0 === SKIPPED_MAGIC) {
      if (!this.#take(8)) return false;
      return this.#skip(8 + this.#u32(this.#at + 4));
    }
    if (magic !== FRAME_MAGIC) throw this.#damaged("no frame of LZ4 begins there");
    if (!this.#take(6)) return false;
    const [flags, sizes] = [this.#packed[this.#at + 4] as number, this.#packed[this.#at + 5] as number];
    const blockBytes = BLOCK_BYTES[((sizes >> 4) & 7) - 4];
    if ((flags & Flags.VERSION) !== 0x40 || blockBytes === undefined || (flags & Flags.DICTIONARY) !== 0) {
      throw this.#damaged("its LZ4 frame is of a kind that memray does not write");
    }
    const bytes = 7 + ((flags & Flags.CONTENT_SIZE) !== 0 ? 8 : 0);
    if (!this.#take(bytes)) return false;
    this.#at += bytes;
    this.#frame = {
      blockBytes,
      blockChecksum: (flags & Flags.BLOCK_CHECKSUM) !== 0,
      contentChecksum: (flags & Flags.CONTENT_CHECKSUM) !== 0,
    };
    this.#unpacked = new Uint8Array(HISTORY_BYTES + blockBytes);
    this.#ready = this.#readyEnd = 0;
    return true;
  }

  #readBlock({ blockBytes, blockChecksum, contentChecksum }: Frame): boolean {
    if (!this.#take(4)) return false;
    const word = this.#u32(this.#at);
    const length = word & ~UNPACKED_BLOCK;
    if (length === 0) {
      this.#frame = undefined;
      return this.#skip(4 + (contentChecksum ? 4 : 0));
    }
    if (length > blockBytes) throw this.#damaged(`a block claims ${length} bytes`);
    if (!this.#take(4 + length)) return false;
    const from = this.#at + 4;
    const block = this.#packed.subarray(from, from + length);
    const history = this.#keepHistory();
    let end: number | undefined = history + length;
    if ((word & UNPACKED_BLOCK) !== 0) this.#unpacked.set(block, history);
    else end = unpackBlock(block, this.#unpacked, history, history + blockBytes);
    if (end === undefined) throw this.#damaged("a block does not unpack");
    this.#ready = history;
    this.#readyEnd = end;
    return this.#skip(4 + length + (blockChecksum ? 4 : 0));
  }

  /** Moves the last bytes to the front; how many they are. */
  #keepHistory(): number {
    const from = Math.max(0, this.#readyEnd - HISTORY_BYTES);
    this.#unpacked.copyWithin(0, from, this.#readyEnd);
    return this.#readyEnd - from;
  }

  /** Passes so many bytes; false where the source ends before. */
  #skip(bytes: number): boolean {
    for (let left = bytes; left > 0; ) {
      if (!this.#take(1)) return false;
      const count = Math.min(left, this.#end - this.#at);
      this.#at += count;
      left -= count;
    }
    return true;
  }

  /** Takes bytes from the source until so many are there; false where it ends before. */
  #take(bytes: number): boolean {
    if (this.#end - this.#at >= bytes) return true;
    this.#packed.copyWithin(0, this.#at, this.#end);
    this.#base += this.#at;
    this.#end -= this.#at;
    this.#at = 0;
    if (bytes > this.#packed.length) {
      const larger = new Uint8Array(bytes + PIECE_BYTES);
      larger.set(this.#packed.subarray(0, this.#end));
      this.#packed = larger;
    }
    while (this.#end < bytes) {
      const count = this.#source.read(this.#packed, this.#end, this.#packed.length - this.#end);
      if (count === 0) return false;
      this.#end += count;
    }
    return true;
  }

  #u32(at: number): number {
    return new DataView(this.#packed.buffer).getUint32(at, true);
  }

  #damaged(reason: string): CaptureError {
    return corrupt(this.name, this.#base + this.#at, reason);
  }
}
