import { CaptureReader, type ReaderOptions } from "../../src/analysis/capture-reader.js";
import { MemoryByteSource } from "../../src/capture/byte-source.js";
import { CaptureDecoder } from "../../src/capture/decoder.js";
import { readTextFile } from "../../src/symbols/text-files.js";

/** A reader of a capture in memory; small chunks, so that every capture has several. */
export function readerOf(bytes: Uint8Array, options?: ReaderOptions): CaptureReader {
  return new CaptureReader(
    "test.bin",
    bytes.length,
    (onRead) => new CaptureDecoder(new MemoryByteSource(bytes, "test.bin"), { chunkBytes: 4096, onRead }),
    { readText: readTextFile, ...options },
  );
}
