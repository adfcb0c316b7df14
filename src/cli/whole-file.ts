import { closeSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import path from "node:path";
import { CliError, sentenceOf } from "./errors.js";
import { typed, unusedSuffix } from "./paths.js";

/** Takes the next piece of a file. */
export type Write = (piece: string | Uint8Array) => void;

/**
 * Writes a file piece by piece, under another name beside it until it is complete.
 * @throws {CliError} it cannot be written; whatever `produce` throws
 */
export function writeWholeFile(file: string, produce: (write: Write) => void): void {
  const attempt = <T>(action: () => T): T => {
    try {
      return action();
    } catch (error) {
      throw new CliError(`cannot write ${typed(file)}: ${sentenceOf(error)}.`);
    }
  };
  const unfinished = path.join(path.dirname(file), `.${path.basename(file)}.${unusedSuffix()}`);
  const fd = attempt(() => openSync(unfinished, "wx"));
  try {
    try {
      produce((piece) => attempt(() => writeFully(fd, typeof piece === "string" ? Buffer.from(piece) : piece)));
    } finally {
      closeSync(fd);
    }
    attempt(() => renameSync(unfinished, file));
  } catch (error) {
    rmSync(unfinished, { force: true });
    throw error;
  }
}

/** writeSync may take a part only. */
function writeFully(fd: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length; ) written += writeSync(fd, bytes, written);
}
