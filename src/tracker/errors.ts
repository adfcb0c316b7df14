/** The base of every error the tracker throws; `code` tells them apart across module systems. */
export class HeaprayError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = new.target.name;
    this.code = code;
  }
}

/** A tracker is active in this process already. */
export class TrackerActiveError extends HeaprayError {
  constructor() {
    super("HEAPRAY_TRACKER_ACTIVE", "A tracker is already active in this process: stop it before starting another.");
  }
}

/** A tracker was asked to start for a second time. */
export class TrackerReusedError extends HeaprayError {
  constructor() {
    super("HEAPRAY_TRACKER_REUSED", "A tracker cannot be started again: make a new one, with a capture of its own.");
  }
}

/** The capture's file exists, and overwriting was not asked for. */
export class CaptureExistsError extends HeaprayError {
  constructor(readonly path: string) {
    super(
      "HEAPRAY_CAPTURE_EXISTS",
      `${path} exists already: choose another name, or pass { overwrite: true } to FileDestination.`,
    );
  }
}

/** The capture's file cannot be written: `cause` holds the operating system's code (`EACCES`, `ENOSPC`, ...). */
export class CaptureWriteError extends HeaprayError {
  constructor(
    readonly path: string,
    readonly errno: string,
    reason: string,
  ) {
    super("HEAPRAY_CAPTURE_WRITE", `Cannot write the capture ${path}: ${reason} (${errno}).`);
  }
}

/** heapray's agent does not run here: another operating system or processor, or it was not built for this Node.js. */
export class UnsupportedPlatformError extends HeaprayError {
  constructor(message: string) {
    super("HEAPRAY_UNSUPPORTED_PLATFORM", message);
  }
}
