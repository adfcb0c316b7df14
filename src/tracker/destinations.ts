export interface FileDestinationOptions {
  /** Replace the file if it exists; an error otherwise. */
  readonly overwrite?: boolean;
  /** Write with plain writes instead of a shared mapping: for file systems that cannot map. A kill loses the tail. */
  readonly buffered?: boolean;
  /** Compress the capture when tracking ends, which takes its time then; true unless told. */
  readonly compressOnExit?: boolean;
}

/** A capture in a file (mode 0600). */
export class FileDestination {
  readonly path: string;
  readonly overwrite: boolean;
  readonly buffered: boolean;
  readonly compressOnExit: boolean;

  /**
   * @param path - the capture's path, relative to the working directory
   * @throws {TypeError} the path is not a non-empty string
   */
  constructor(path: string, options: FileDestinationOptions = {}) {
    if (typeof path !== "string" || path === "" || path.includes("\0")) {
      throw new TypeError("FileDestination needs the capture's path, a non-empty string without NUL characters.");
    }
    this.path = path;
    this.overwrite = options.overwrite ?? false;
    this.buffered = options.buffered ?? false;
    this.compressOnExit = options.compressOnExit ?? true;
  }
}

/** Where a capture goes. */
export type Destination = FileDestination;
