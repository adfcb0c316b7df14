import { CaptureFile, FileByteSource } from "../capture/file-byte-source.js";
import { RecordWalk } from "../capture/record-walk.js";
import { gunzip } from "./file-reader.js";

/**
 * Opens a capture file to be read record by record.
 * @throws CaptureError `UNREADABLE`, `NOT_A_CAPTURE`, `NEWER_VERSION` or `CORRUPT`.
 */
export function openRecords(path: string): { readonly walk: RecordWalk; close(): void } {
  const file = new CaptureFile(path);
  try {
    return { walk: new RecordWalk(new FileByteSource(file), gunzip), close: () => file.close() };
  } catch (error) {
    file.close();
    throw error;
  }
}
