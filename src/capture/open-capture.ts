import type { ByteSource } from "./byte-source.js";
import type { CaptureSource } from "./capture-source.js";
import type { CaptureWalk } from "./capture-walk.js";
import { CaptureDecoder, type DecoderOptions } from "./decoder.js";
import { CaptureError } from "./errors.js";
import { isMemray } from "./memray/header.js";
import { isLz4, Lz4Source } from "./memray/lz4-source.js";
import { MemrayDecoder, type MemrayDecoderOptions } from "./memray/memray-decoder.js";
import { MemrayWalk } from "./memray/memray-walk.js";
import { PeekedSource } from "./peeked-source.js";
import { RecordWalk } from "./record-walk.js";

/** More than what tells the formats apart. */
const PEEKED_BYTES = 16;

export interface OpenOptions extends DecoderOptions, Pick<MemrayDecoderOptions, "interpreterLoop"> {}

/**
 * Opens a capture of any format that can be read: heapray's own, or memray's, compressed or not. Its first bytes tell.
 * @throws CaptureError when the source does not start with the header of a capture that can be read.
 */
export function openCapture(source: ByteSource, options: OpenOptions = {}): CaptureSource {
  if (source.growing === true) return new CaptureDecoder(source, options);
  const peeked = new PeekedSource(source, PEEKED_BYTES);
  return openMemray(peeked, options) ?? new CaptureDecoder(peeked, options);
}

/**
 * The same, to be read record by record.
 * @throws CaptureError when the source does not start with the header of a capture that can be read.
 */
export function openWalk(source: ByteSource, options: OpenOptions = {}): CaptureWalk {
  const peeked = new PeekedSource(source, PEEKED_BYTES);
  const memray = openMemray(peeked, options);
  return memray === undefined ? new RecordWalk(peeked, options.gunzip) : new MemrayWalk(memray);
}

/** The capture's decoder where memray wrote it; otherwise undefined, with the source as it was. */
function openMemray(source: PeekedSource, options: OpenOptions = {}): MemrayDecoder | undefined {
  const { onRead, ...others } = options;
  if (isLz4(source.start)) {
    const unpacked = new Lz4Source(source);
    const start = new PeekedSource(unpacked, PEEKED_BYTES);
    if (!isMemray(start.start)) {
      const { name } = source;
      throw new CaptureError(
        "NOT_A_CAPTURE",
        name,
        `${name} is compressed with LZ4, and no capture that memray wrote; give a capture.`,
      );
    }
    return new MemrayDecoder(start, { ...others, onRead: () => onRead?.(unpacked.bytesTaken) });
  }
  if (!isMemray(source.start)) return undefined;
  // The process may have ended before it filled what memray reserved.
  source.dropZerosAtEnd();
  return new MemrayDecoder(source, { ...others, onRead: () => onRead?.(source.bytesGiven) });
}
