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

export interface SocketDestinationOptions {
  /** The port that a client connects to, from 1 to 65535. */
  readonly serverPort: number;
  /** The address to listen on; 127.0.0.1 unless told, so that only this machine can connect. */
  readonly address?: string;
}

/**
 * A client that connects to this process and reads the records as they happen (SocketReader). A Tracker with this
 * destination waits, when it is made, until a client has connected. Only the first client is served.
 */
export class SocketDestination {
  readonly serverPort: number;
  readonly address: string;

  /**
   * @throws {TypeError} the port is not a number, or the address not a non-empty string
   * @throws {RangeError} there is no such port
   */
  constructor(options: SocketDestinationOptions) {
    if (typeof options !== "object" || options === null || typeof options.serverPort !== "number") {
      throw new TypeError("SocketDestination needs a port: new SocketDestination({ serverPort: 5678 }).");
    }
    const { serverPort, address = "127.0.0.1" } = options;
    if (!Number.isInteger(serverPort) || serverPort < 1 || serverPort > 65_535) {
      throw new RangeError(`serverPort is a whole number from 1 to 65535, not ${serverPort}.`);
    }
    if (typeof address !== "string" || address === "" || address.includes("\0")) {
      throw new TypeError("SocketDestination's address is an address of this machine, like 127.0.0.1.");
    }
    this.serverPort = serverPort;
    this.address = address;
  }
}

/** Where a capture goes. */
export type Destination = FileDestination | SocketDestination;

/** By its shape: the class exists twice in a process that uses both import and require. */
export function isSocketDestination(destination: Destination): destination is SocketDestination {
  return "serverPort" in destination;
}
