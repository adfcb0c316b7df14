import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { createRequire } from "node:module";
import type * as Zlib from "node:zlib";
import type { ByteSource } from "../capture/byte-source.js";
import { CaptureError } from "../capture/errors.js";
import { MEMBER_BYTES, withLength } from "../capture/gzip-member.js";
import { MAGIC } from "../capture/wire.js";
import { type NumberedPieces, numberedPieces } from "./numbered-pieces.js";

/** Measured on captures: what more costs gains next to nothing. */
export const COMPRESSION_LEVEL = 4;

/** The bytes of an open file up to a size. */
class OpenFileSource implements ByteSource {
  readonly name: string;
  readonly size: number;
  /** Bytes read until now. */
  position = 0;
  readonly #descriptor: number;

  constructor(name: string, descriptor: number, size: number) {
    this.name = name;
    this.size = size;
    this.#descriptor = descriptor;
  }

  read(target: Uint8Array, offset: number, length: number): number {
    const most = Math.min(length, this.size - this.position);
    const count = most === 0 ? 0 : readSync(this.#descriptor, target, offset, most, this.position);
    this.position += count;
    return count;
  }

  close(): void {}
}

/**
 * A capture that is being replaced by its compressed form: its numbered form, packed. The capture itself stays as it is
 * until `finish()`: whatever goes wrong, or ends the process, before, it is whole, and what was written lies beside it as
 * `<capture>.compressing`, to be replaced by the next attempt.
 */
export class CaptureCompression {
  /** Bytes of the capture. */
  readonly size: number;
  readonly #path: string;
  readonly #unfinished: string;
  readonly #from: number;
  readonly #to: number;
  readonly #source: OpenFileSource;
  /** Undefined where the capture's own bytes are packed. */
  readonly #numbered: NumberedPieces | undefined;
  #closed = false;

  /**
   * @param asItIs whether to pack the capture's own bytes: those of a damaged one have no numbered form
   * @returns undefined where there is no capture that is not compressed yet
   * @throws an error of the file system; CaptureError where the capture is damaged
   */
  static open(path: string, asItIs: boolean): CaptureCompression | undefined {
    const from = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
    try {
      const start = new Uint8Array(MAGIC.length);
      readSync(from, start, 0, start.length, 0);
      if (fstatSync(from).isFile() && start.every((byte, i) => byte === MAGIC[i])) {
        return new CaptureCompression(path, from, asItIs);
      }
    } catch (error) {
      closeSync(from);
      throw error;
    }
    closeSync(from);
    return undefined;
  }

  private constructor(path: string, from: number, asItIs: boolean) {
    const { size, mode } = fstatSync(from);
    this.#path = path;
    this.#from = from;
    this.size = size;
    const source = new OpenFileSource(path, from, size);
    this.#numbered = asItIs ? undefined : numberedPieces(from, source);
    this.#source = this.#numbered === undefined ? new OpenFileSource(path, from, size) : source;
    this.#unfinished = `${path}.compressing`;
    rmSync(this.#unfinished, { force: true });
    this.#to = openSync(this.#unfinished, "wx", 0o600);
    fchmodSync(this.#to, mode & 0o777);
  }

  /** Bytes of the capture that were taken until now. */
  get taken(): number {
    return this.#numbered?.taken ?? this.#source.position;
  }

  /**
   * The bytes for the next member; undefined at the end.
   * @throws CaptureError where the capture is damaged
   */
  read(): Uint8Array | undefined {
    if (this.#numbered !== undefined) return this.#numbered.next(MEMBER_BYTES);
    const bytes = Buffer.allocUnsafe(Math.min(MEMBER_BYTES, this.size - this.taken));
    let length = 0;
    while (length < bytes.length) {
      const count = this.#source.read(bytes, length, bytes.length - length);
      if (count === 0) break;
      length += count;
    }
    return length === 0 ? undefined : bytes.subarray(0, length);
  }

  /** @param gzip the next bytes as a gzip member, as node:zlib makes it */
  write(gzip: Uint8Array): void {
    const { header, rest } = withLength(gzip);
    for (const bytes of [header, rest]) {
      for (let written = 0; written < bytes.length; ) written += writeSync(this.#to, bytes, written);
    }
  }

  /** Puts the compressed capture in the capture's place. */
  finish(): void {
    // Another process may have put a capture of its own in this place.
    if (statSync(this.#path).ino !== fstatSync(this.#from).ino) {
      this.abandon();
      return;
    }
    this.#close();
    renameSync(this.#unfinished, this.#path);
  }

  /** Leaves the capture as it is. */
  abandon(): void {
    this.#close();
    rmSync(this.#unfinished, { force: true });
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    closeSync(this.#from);
    closeSync(this.#to);
  }
}

/**
 * Compresses a capture in this thread, which waits for it.
 * @returns whether it is compressed now; where not, it is whole and as it was (a full disk, say)
 */
export function compressCaptureSync(path: string): boolean {
  // Loaded here, so that it takes none of the memory of a program while that is tracked.
  const { gzipSync } = createRequire(import.meta.url)("node:zlib") as typeof Zlib;
  const compress = (asItIs: boolean): boolean => {
    let compression: CaptureCompression | undefined;
    try {
      compression = CaptureCompression.open(path, asItIs);
      if (compression === undefined) return false;
      for (let bytes = compression.read(); bytes !== undefined; bytes = compression.read()) {
        compression.write(gzipSync(bytes, { level: COMPRESSION_LEVEL, chunkSize: 1024 * 1024 }));
      }
      compression.finish();
      return true;
    } catch (error) {
      compression?.abandon();
      return !asItIs && error instanceof CaptureError && compress(true);
    }
  };
  return compress(false);
}
