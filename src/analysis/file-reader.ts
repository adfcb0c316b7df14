import { gunzipSync } from "node:zlib";
import { CaptureFile, FileByteSource } from "../capture/file-byte-source.js";
import { openCapture } from "../capture/open-capture.js";
import { ModuleSymbols } from "../symbols/module-symbols.js";
import { PythonLoop } from "../symbols/python-loop.js";
import { readTextFile } from "../symbols/text-files.js";
import { CaptureReader, type ReaderOptions } from "./capture-reader.js";

/** Node.js's own: several times faster than JavaScript. In one chunk, which it would otherwise put together. */
export const gunzip = (member: Uint8Array, unpackedBytes: number): Uint8Array =>
  gunzipSync(member, { chunkSize: Math.max(64, unpackedBytes), maxOutputLength: Math.max(1, unpackedBytes) });

/** Reads a capture file, compressed or not: heapray's own or memray's. */
export class FileReader extends CaptureReader {
  /** The capture's path. */
  readonly path: string;
  readonly #file: CaptureFile;

  /**
   * Opens the file and reads its header.
   * @throws CaptureError `UNREADABLE`, `NOT_A_CAPTURE`, `NEWER_VERSION`, `OTHER_VERSION` or `CORRUPT`.
   */
  constructor(path: string, options: ReaderOptions = {}) {
    const file = new CaptureFile(path);
    try {
      const interpreterLoop = new PythonLoop();
      const open = (onRead: (bytesRead: number) => void) =>
        openCapture(new FileByteSource(file), { onRead, gunzip, interpreterLoop });
      super(path, file.size, open, { readText: readTextFile, nativeSymbols: new ModuleSymbols(), ...options });
    } catch (error) {
      file.close();
      throw error;
    }
    this.path = path;
    this.#file = file;
  }

  override close(): void {
    super.close();
    this.#file.close();
  }
}
