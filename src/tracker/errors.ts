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

/** A socket's address cannot be listened on: `errno` tells why (`EADDRINUSE`, `EACCES`, `EADDRNOTAVAIL`, ...). */
export class SocketListenError extends HeaprayError {
  constructor(
    readonly address: string,
    readonly port: number,
    readonly errno: string,
    reason: string,
  ) {
    super("HEAPRAY_SOCKET_LISTEN", `Cannot wait for a client on ${address}, port ${port}: ${reason} (${errno}).`);
  }
}

/** A signal came while the tracker waited for a client, so it was not started. */
export class SocketInterruptedError extends HeaprayError {
  constructor(
    readonly address: string,
    readonly port: number,
    readonly signal: string,
  ) {
    super(
      "HEAPRAY_SOCKET_INTERRUPTED",
      `${signal} came before a client had connected to ${address}, port ${port}: nothing is tracked.`,
    );
  }
}

/** heapray's agent does not run here: another operating system or processor, or it was not built for this Node.js. */
export class UnsupportedPlatformError extends HeaprayError {
  constructor(message: string) {
    super("HEAPRAY_UNSUPPORTED_PLATFORM", message);
  }
}
