import type { CaptureWalk } from "../capture/capture-walk.js";
import { CaptureFile, FileByteSource } from "../capture/file-byte-source.js";
import { openWalk } from "../capture/open-capture.js";
import { PythonLoop } from "../symbols/python-loop.js";
import { gunzip } from "./file-reader.js";

/**
 * Opens a capture file to be read record by record.
 * @throws CaptureError `UNREADABLE`, `NOT_A_CAPTURE`, `NEWER_VERSION`, `OTHER_VERSION` or `CORRUPT`.
 */
export function openRecords(path: string): { readonly walk: CaptureWalk; close(): void } {
  const file = new CaptureFile(path);
  try {
    return {
      walk: openWalk(new FileByteSource(file), { gunzip, interpreterLoop: new PythonLoop() }),
      close: () => file.close(),
    };
  } catch (error) {
    file.close();
    throw error;
  }
}
