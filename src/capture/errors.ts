/**
 * Why a capture cannot be read:
 * - `UNREADABLE`: the file is missing, a directory, not permitted, or reading it failed;
 * - `NOT_A_CAPTURE`: it is some other kind of file, or ends inside its header;
 * - `NEWER_VERSION`: a later heapray wrote it in a format this one does not know;
 * - `OTHER_VERSION`: another program wrote it in a version of its format that heapray does not know;
 * - `CORRUPT`: a record contradicts the format;
 * - `NO_DATA`: an aggregated capture whose process ended before tracking did;
 * - `AGGREGATED`: single allocations were asked for, and the capture holds sums only;
 * - `CONNECTION`: the process that sends the capture cannot be reached, or is not connected yet;
 * - `CLOSED`: the reader was closed before.
 */
export type CaptureErrorCode =
  | "UNREADABLE"
  | "NOT_A_CAPTURE"
  | "NEWER_VERSION"
  | "OTHER_VERSION"
  | "CORRUPT"
  | "NO_DATA"
  | "AGGREGATED"
  | "CONNECTION"
  | "CLOSED";

/** A capture that cannot be read. The message says which file, where, why, and what to do. */
export class CaptureError extends Error {
  override readonly name = "CaptureError";
  readonly code: CaptureErrorCode;
  /** The capture's path, or the name of whatever it was read from. */
  readonly source: string;
  /** Byte offset in the capture, unpacked, or in the file where its compression is damaged; undefined where no place is to blame. */
  readonly offset: number | undefined;

  constructor(
    code: CaptureErrorCode,
    source: string,
    message: string,
    options: { offset?: number | undefined; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.source = source;
    this.offset = options.offset;
  }
}

/** A record at `offset` that contradicts the format; `unpacked`: the offset counts the bytes of the unpacked capture. */
export function corrupt(
  source: string,
  offset: number,
  reason: string,
  cause?: unknown,
  unpacked = false,
): CaptureError {
  const nothingBefore = offset === 0;
  const [where, first] = unpacked ? [" of what it unpacks to", "unpack it with gunzip and "] : ["", ""];
  return new CaptureError(
    "CORRUPT",
    source,
    `${source} is damaged at byte ${offset}${where}: ${reason}. Record it again${nothingBefore ? "" : `, or ${first}cut the file there to read what comes before`}.`,
    { offset, cause },
  );
}
