import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { CaptureEnd } from "../capture/capture-source.js";
import { CaptureError } from "../capture/errors.js";
import type { AllocationRecord, CaptureHeader, MemorySnapshot } from "../capture/records.js";
import { ModuleSymbols } from "../symbols/module-symbols.js";
import { readTextFile } from "../symbols/text-files.js";
import type { MergeOptions } from "./capture-reader.js";
import { LiveCapture, type LiveCaptureOptions } from "./live-capture.js";

export interface SocketReaderOptions extends LiveCaptureOptions {
  /** The port that the tracked process waits on. */
  readonly port: number;
  /** Its address; 127.0.0.1 unless told. */
  readonly address?: string;
}

export interface ConnectOptions {
  /** How long to try again while nobody waits for a client there, milliseconds; 0 unless told. */
  readonly timeoutMs?: number;
  /** Called once where nobody waits there yet. */
  readonly onWaiting?: () => void;
}

const RETRY_MS = 50;
/** A tracker sends its header as soon as it has a client. */
const HEADER_TIMEOUT_MS = 10_000;
/** How the connection ends when the tracked process was killed. */
const ENDS: readonly string[] = ["ECONNRESET", "EPIPE"];

/** Reads what a running process with a SocketDestination records, as it happens. */
export class SocketReader implements Disposable, AsyncDisposable {
  readonly #port: number;
  readonly #address: string;
  readonly #capture: LiveCapture;
  #socket: Socket | undefined;
  #header: CaptureHeader | undefined;
  #error: CaptureError | undefined;
  #ended = false;
  #closed = false;
  /** Called when the header has come, or the connection has ended. */
  #waiting: (() => void)[] = [];

  /** @throws {TypeError} the port is no port */
  constructor(options: SocketReaderOptions) {
    const { port, address = "127.0.0.1", ...rest } = options;
    if (!Number.isInteger(port) || port < 1 || port > 65_535) {
      throw new TypeError(`SocketReader's port is a whole number from 1 to 65535, not ${port}.`);
    }
    this.#port = port;
    this.#address = address;
    this.#capture = new LiveCapture(this.#name, {
      readText: readTextFile,
      nativeSymbols: new ModuleSymbols(),
      ...rest,
    });
  }

  /**
   * Connects to the process, which then goes on; to be awaited before anything else.
   * @throws CaptureError `CONNECTION`, `NOT_A_CAPTURE`, `NEWER_VERSION` or `CORRUPT`
   */
  async connect({ timeoutMs = 0, onWaiting }: ConnectOptions = {}): Promise<void> {
    if (this.#socket !== undefined) throw this.#wrong("this reader was connected before; make a new one");
    const deadline = Date.now() + timeoutMs;
    for (let attempt = 0; ; attempt++) {
      if (this.#closed) throw this.#wasClosed();
      const socket = connect({ port: this.#port, host: this.#address });
      this.#socket = socket;
      try {
        await connected(socket);
        this.#listen(socket);
        break;
      } catch (error) {
        if (!(isRefusal(error) && Date.now() + RETRY_MS < deadline)) throw this.#notConnected(error);
      }
      if (attempt === 0) onWaiting?.();
      await sleep(RETRY_MS);
    }
    await this.#headerArrives();
  }

  /** Whether the process is connected and tracking goes on. */
  get isActive(): boolean {
    return this.#header !== undefined && !this.#ended && !this.#closed;
  }

  /** What the process told of itself when tracking began. */
  get header(): CaptureHeader {
    if (this.#header === undefined) throw this.#wrong("it is not connected; await connect() first");
    return this.#header;
  }

  get pid(): number {
    return this.header.pid;
  }

  /** The program's arguments, `argv[0]` included. */
  get commandLine(): readonly string[] {
    return this.header.commandLine;
  }

  get hasNativeTraces(): boolean {
    return this.header.options.nativeTraces === true;
  }

  /**
   * The allocations that are live now, merged by location; once tracking has ended, those that were then.
   * @throws CaptureError `CLOSED`, or `CONNECTION` before the reader is connected
   */
  getCurrentSnapshot(options: MergeOptions = {}): IterableIterator<AllocationRecord> {
    return this.#live().records(options).values();
  }

  /** The process's memory from the start until now, evenly thinned out where there is much of it. */
  getMemorySnapshots(): IterableIterator<MemorySnapshot> {
    return this.#live().snapshots.values();
  }

  /** The process's memory as it told last; undefined until it has. */
  get lastMemorySnapshot(): MemorySnapshot | undefined {
    return this.#live().lastSnapshot;
  }

  /** Live bytes now. */
  get currentMemory(): number {
    return this.#live().liveBytes;
  }

  /** Live bytes at the high-water mark until now. */
  get peakMemory(): number {
    return this.#live().peakBytes;
  }

  /** Allocations recorded until now. */
  get totalAllocations(): number {
    return this.#live().totalAllocations;
  }

  /** What the stack traces given so far lack, and why; a sentence each. */
  get warnings(): readonly string[] {
    return this.#live().warnings;
  }

  /** All that was read, for what this reader does not tell itself. */
  get capture(): LiveCapture {
    return this.#live();
  }

  /** How tracking ended; undefined while it goes on, and where the connection ended before it. */
  get end(): CaptureEnd | undefined {
    return this.#capture.end;
  }

  /**
   * Waits until tracking or the connection has ended, or this reader is closed.
   * @returns how tracking ended; undefined where it was not told: the process was killed, or gave up on a slow reader
   * @throws CaptureError `CORRUPT` at a record that contradicts the format, `CONNECTION` where the network failed
   */
  async untilEnd(): Promise<CaptureEnd | undefined> {
    if (this.#header === undefined) throw this.#wrong("it is not connected; await connect() first");
    while (!this.#ended && !this.#closed) await this.#change();
    if (this.#error !== undefined) throw this.#error;
    return this.#capture.end;
  }

  /** Ends the connection; the process goes on, untracked. Records that were read stay valid. */
  close(): void {
    this.#closed = true;
    this.#socket?.destroy();
    this.#tell();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  get #name(): string {
    return `${this.#address.includes(":") ? `[${this.#address}]` : this.#address}:${this.#port}`;
  }

  #listen(socket: Socket): void {
    socket.on("data", (bytes) => {
      try {
        this.#capture.push(bytes);
      } catch (error) {
        this.#fail(this.#damage(error));
      }
      if (this.#header === undefined && this.#capture.header !== undefined) {
        this.#header = this.#capture.header;
        this.#tell();
      }
      // Nothing follows.
      if (this.#capture.end !== undefined) this.#finish();
    });
    socket.on("error", (error: NodeJS.ErrnoException) => {
      if (!ENDS.includes(error.code ?? "")) {
        this.#fail(this.#wrong(`the connection failed: ${error.message}`, error));
      }
    });
    socket.on("close", () => this.#finish());
  }

  async #headerArrives(): Promise<void> {
    const timer = setTimeout(
      () => this.#fail(this.#wrong("what listens there sends nothing, and is probably no program that heapray tracks")),
      HEADER_TIMEOUT_MS,
    );
    while (this.#header === undefined && !this.#ended && !this.#closed) await this.#change();
    clearTimeout(timer);
    if (this.#closed) throw this.#wasClosed();
    if (this.#header !== undefined) return;
    throw this.#error ?? this.#wrong("it ended the connection at once: it has a client already, or has ended");
  }

  #finish(): void {
    this.#ended = true;
    this.#socket?.destroy();
    this.#tell();
  }

  #fail(error: CaptureError): void {
    this.#error ??= error;
    this.#finish();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  #tell(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  #live(): LiveCapture {
    if (this.#closed) throw this.#wasClosed();
    if (this.#header === undefined) throw this.#wrong("it is not connected; await connect() first");
    return this.#capture;
  }

  #notConnected(error: unknown): CaptureError {
    const { message } = error as Error;
    if (this.#closed) return this.#wasClosed();
    if (!isRefusal(error)) return this.#wrong(`it cannot be reached: ${message}`, error);
    return this.#wrong("no program waits for a client there; each serves one, the first that connects", error);
  }

  #wrong(reason: string, cause?: unknown): CaptureError {
    return new CaptureError("CONNECTION", this.#name, `Cannot read from ${this.#name}: ${reason}.`, { cause });
  }

  /** What is wrong with the bytes that came, in words that fit a connection. */
  #damage(error: unknown): CaptureError {
    if (!(error instanceof CaptureError) || error.code === "NEWER_VERSION") return error as CaptureError;
    const { code, offset } = error;
    const message =
      code === "NOT_A_CAPTURE"
        ? `What listens at ${this.#name} is not a program that heapray tracks.`
        : `What came from ${this.#name} is damaged${offset === undefined ? "" : ` at byte ${offset}`}. Run the program again.`;
    return new CaptureError(code, this.#name, message, { offset, cause: error });
  }

  #wasClosed(): CaptureError {
    return new CaptureError("CLOSED", this.#name, `The reader of ${this.#name} is closed; make a new one.`);
  }
}

function connected(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: Error): void => {
      socket.off("connect", settle).off("error", settle).off("close", closed);
      if (error === undefined) resolve();
      else reject(error);
    };
    const closed = (): void => settle(new Error("the connection was closed"));
    socket.on("connect", settle).on("error", settle).on("close", closed);
  });
}

function isRefusal(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === "ECONNREFUSED";
}
