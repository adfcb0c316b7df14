import { MemoryByteSource } from "../../src/capture/byte-source.js";
import { NumberedForm } from "../../src/capture/numbered-form.js";

/**
 * The numbered form of a capture, made in pieces of that many bytes.
 * @throws CaptureError
 */
export function numberedForm(capture: Uint8Array, pieceBytes = 4096): Uint8Array {
  const form = NumberedForm.of(new MemoryByteSource(capture, "test.bin"));
  if (form === undefined) throw new Error("This capture has no numbered form.");
  const pieces: Uint8Array[] = [];
  for (let piece = form.next(pieceBytes); piece !== undefined; piece = form.next(pieceBytes))
    pieces.push(piece.slice());
  return Buffer.concat(pieces);
}
