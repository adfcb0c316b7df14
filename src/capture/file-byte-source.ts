import * as fs from "node:fs";
import type { ByteSource } from "./byte-source.js";
import { CaptureError } from "./errors.js";

/** Bytes to look through at a time, from the end on. */
const CHUNK_BYTES = 64 * 1024;

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file; check the path",
  EACCES: "permission denied; captures are readable by their owner only",
  EPERM: "permission denied; captures are readable by their owner only",
  EISDIR: "it is a directory; give the path of a capture file",
  ENOTDIR: "a part of the path is not a directory; check the path",
};

function unreadable(path: string, error: unknown): CaptureError {
  const code = (error as NodeJS.ErrnoException).code ?? "";
  const reason = REASONS[code] ?? (error instanceof Error ? error.message : String(error));
  return new CaptureError("UNREADABLE", path, `Cannot read ${path}: ${reason}.`, { cause: error });
}

/** An open capture file. It can be read by several passes at once, each with a source of its own. */
export class CaptureFile {
  readonly path: string;
  /** Bytes in the file when it was opened. */
  readonly size: number;
  #descriptor: number | undefined;

  /** @throws CaptureError `UNREADABLE` when the file is missing, a directory or not permitted. */
  constructor(path: string) {
    this.path = path;
    try {
      this.#descriptor = fs.openSync(path, "r");
      const stat = fs.fstatSync(this.#descriptor);
      if (stat.isDirectory()) throw Object.assign(new Error("is a directory"), { code: "EISDIR" });
      this.size = stat.size;
    } catch (error) {
      this.close();
      throw unreadable(path, error);
    }
  }

  /** Bytes read at `position`; 0 at the end. */
  readAt(position: number, target: Uint8Array, offset: number, length: number): number {
    if (this.#descriptor === undefined) {
      throw new CaptureError("CLOSED", this.path, `The reader of ${this.path} is closed; open a new one.`);
    }
    try {
      return fs.readSync(this.#descriptor, target, offset, length, position);
    } catch (error) {
      throw unreadable(this.path, error);
    }
  }

  close(): void {
    if (this.#descriptor === undefined) return;
    fs.closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }
}

/** One front-to-back pass over an open file; closing the pass leaves the file open. */
export class FileByteSource implements ByteSource {
  readonly name: string;
  size: number;
  readonly #file: CaptureFile;
  #position = 0;
  /** Where it ends; a file that grows is read as far as it goes then. */
  #limit = Number.POSITIVE_INFINITY;

  constructor(file: CaptureFile) {
    this.#file = file;
    this.name = file.path;
    this.size = file.size;
  }

  read(target: Uint8Array, offset: number, length: number): number {
    const count = this.#file.readAt(this.#position, target, offset, Math.min(length, this.#limit - this.#position));
    this.#position += count;
    return count;
  }

  dropZerosAtEnd(): void {
    const bytes = new Uint8Array(Math.min(CHUNK_BYTES, this.size));
    while (this.size > 0) {
      const from = Math.max(0, this.size - bytes.length);
      const count = this.#file.readAt(from, bytes, 0, this.size - from);
      const last = bytes.subarray(0, count).findLastIndex((byte) => byte !== 0);
      this.size = from + last + 1;
      this.#limit = this.size;
      if (last >= 0) return;
    }
  }

  close(): void {}
}
