import { Gunzip, gunzipSync } from "fflate";
import type { ByteSource } from "./byte-source.js";
import { type CaptureError, corrupt } from "./errors.js";
import {
  GZIP_MAGIC,
  LARGEST_MEMBER,
  MEMBER_HEADER_BYTES,
  MEMBER_TRAILER_BYTES,
  memberLength,
  unpackedLength,
} from "./gzip-member.js";

/** Unpacks one whole gzip member, to that many bytes. Throws where its content is damaged. */
export type GunzipMember = (member: Uint8Array, unpackedBytes: number) => Uint8Array;

/** Anywhere where JavaScript runs; Node.js has a faster one, which checks the checksum too. */
const gunzipAnywhere: GunzipMember = (member, unpackedBytes) =>
  gunzipSync(member, { out: new Uint8Array(unpackedBytes) });

/** Packed bytes unpacked at once where a member does not tell its length: at most a thousandfold comes out. */
const PIECE_BYTES = 16 * 1024;

/**
 * A capture's own bytes, whether its source is compressed or not. Of a compressed one, one member at a time is in
 * memory; a member that was cut short gives what can be had of it, as every prefix of a capture is a capture.
 */
export class UnpackedSource implements ByteSource {
  readonly name: string;
  /** Bytes of the capture in all; unknown beforehand where it is compressed. */
  readonly size: number | undefined;
  readonly compressed: boolean;
  readonly #source: ByteSource;
  readonly #gunzip: GunzipMember;
  /** Bytes taken from the source that were not unpacked yet. */
  #packed = new Uint8Array(PIECE_BYTES);
  #packedLength = 0;
  /** Offset in the source behind them. */
  #taken = 0;
  /** Unpacked bytes that nobody has read yet. */
  #ready: Uint8Array[] = [];
  /** Of a member that does not tell its length, and of all that follow it. */
  #stream: Gunzip | undefined;
  #atEnd = false;

  /** @throws CaptureError `UNREADABLE` */
  constructor(source: ByteSource, gunzip: GunzipMember = gunzipAnywhere) {
    this.name = source.name;
    this.#source = source;
    this.#gunzip = gunzip;
    this.#take(GZIP_MAGIC.length);
    const start = this.#packed.slice(0, this.#packedLength);
    this.compressed = start.length === GZIP_MAGIC.length && start.every((byte, i) => byte === GZIP_MAGIC[i]);
    this.size = this.compressed ? undefined : source.size;
    if (!this.compressed) this.#ready.push(start);
  }

  /** Compressed captures are complete ones. */
  get growing(): boolean {
    return !this.compressed && this.#source.growing === true;
  }

  /** Bytes of the source that were read until now. */
  get bytesTaken(): number {
    return this.#taken;
  }

  read(target: Uint8Array, offset: number, length: number): number {
    while (this.#ready.length === 0) {
      if (!this.compressed) {
        const count = this.#source.read(target, offset, length);
        this.#taken += count;
        return count;
      }
      if (this.#atEnd) return 0;
      this.#unpackMore();
    }
    const first = this.#ready[0] as Uint8Array;
    const count = Math.min(length, first.length);
    target.set(first.subarray(0, count), offset);
    if (count === first.length) this.#ready.shift();
    else this.#ready[0] = first.subarray(count);
    return count;
  }

  close(): void {
    this.#source.close();
  }

  #unpackMore(): void {
    if (this.#stream === undefined) this.#unpackMember();
    else this.#unpackPiece(this.#stream);
  }

  #unpackMember(): void {
    this.#take(MEMBER_HEADER_BYTES);
    const start = this.#taken - this.#packedLength;
    const length = memberLength(this.#packed.subarray(0, this.#packedLength));
    if (length === undefined) {
      if (this.#packedLength < MEMBER_HEADER_BYTES) this.#atEnd = true;
      else this.#unpackStreaming(start);
      return;
    }
    if (length < MEMBER_HEADER_BYTES + MEMBER_TRAILER_BYTES || length > LARGEST_MEMBER) {
      throw this.#damaged(start, `a compressed part claims ${length} bytes`);
    }
    this.#take(length);
    if (this.#packedLength < length) {
      this.#unpackStreaming(start);
      return;
    }
    const member = this.#packed.subarray(0, length);
    const unpackedBytes = unpackedLength(member);
    if (unpackedBytes > LARGEST_MEMBER) {
      throw this.#damaged(start, `a compressed part claims to hold ${unpackedBytes} bytes`);
    }
    let unpacked: Uint8Array;
    try {
      unpacked = this.#gunzip(member, unpackedBytes);
    } catch (error) {
      throw this.#damaged(start, "a compressed part does not unpack", error);
    }
    if (unpacked.length !== unpackedBytes) throw this.#damaged(start, "a compressed part has another length");
    this.#packedLength = 0;
    if (unpackedBytes > 0) this.#ready.push(unpacked);
  }

  /** From here on as a stream: gzip of other programs, or a member that was cut short. */
  #unpackStreaming(start: number): void {
    this.#stream = new Gunzip((bytes) => {
      if (bytes.length > 0) this.#ready.push(bytes);
    });
    const taken = this.#packed.slice(0, this.#packedLength);
    this.#packedLength = 0;
    for (let at = 0; at < taken.length; at += PIECE_BYTES) {
      this.#push(this.#stream, taken.slice(at, at + PIECE_BYTES), start + at);
    }
  }

  #unpackPiece(stream: Gunzip): void {
    this.#take(PIECE_BYTES);
    const piece = this.#packed.slice(0, this.#packedLength);
    this.#packedLength = 0;
    this.#push(stream, piece, this.#taken - piece.length);
    if (piece.length === 0) this.#atEnd = true;
  }

  /** Never tells the stream that the end has come: at the end of a capture that was cut short it would throw. */
  #push(stream: Gunzip, piece: Uint8Array, start: number): void {
    try {
      if (piece.length > 0) stream.push(piece);
    } catch (error) {
      throw this.#damaged(start, "its compressed data does not unpack", error);
    }
  }

  /** Takes from the source until `length` bytes are there, or as many as it has. */
  #take(length: number): void {
    if (length > this.#packed.length) {
      const grown = new Uint8Array(length);
      grown.set(this.#packed.subarray(0, this.#packedLength));
      this.#packed = grown;
    }
    while (this.#packedLength < length) {
      const count = this.#source.read(this.#packed, this.#packedLength, length - this.#packedLength);
      if (count === 0) return;
      this.#packedLength += count;
      this.#taken += count;
    }
  }

  #damaged(offset: number, reason: string, cause?: unknown): CaptureError {
    return corrupt(this.name, offset, reason, cause);
  }
}
