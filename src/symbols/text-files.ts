import { readFileSync, statSync } from "node:fs";

const MAX_BYTES = 256 * 1024 * 1024;

/** Reads a text file; undefined where there is none that can be read. */
export type ReadText = (path: string) => string | undefined;

/** Reads UTF-8 from disk; what is no regular file, or has more than 256 MiB, counts as not there. */
export function readTextFile(path: string): string | undefined {
  try {
    const stat = statSync(path);
    return stat.isFile() && stat.size <= MAX_BYTES ? readFileSync(path, "utf8") : undefined;
  } catch {
    return undefined;
  }
}
