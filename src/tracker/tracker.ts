import path from "node:path";
import { type Agent, type AgentDestination, heaprayVersion, loadAgent } from "./binding.js";
import { childCaptures, hasEnded, writtenSince } from "./child-captures.js";
import { compressCaptureSync } from "./compress-capture.js";
import { ConnectedDestination } from "./connected-destination.js";
import { type Destination, isSocketDestination } from "./destinations.js";
import { CaptureExistsError, CaptureWriteError, TrackerActiveError, TrackerReusedError } from "./errors.js";
import { followChildren, leaveChildren } from "./follow-children.js";
import { settingsForChildren } from "./followed.js";
import { leaveExit, stayLastAtExit } from "./last-at-exit.js";
import { captureHeader } from "./metadata.js";
import {
  FileFormat,
  type ResolvedSettings,
  resolveSettings,
  type TrackerOptions,
  type TrackerSettings,
} from "./options.js";
import { packageFolder } from "./package-folder.js";
import { keepExactPositions } from "./v8-flags.js";
import { waitForClient } from "./wait-for-client.js";

/**
 * Records every allocation of the process, on all threads, from its making until it is stopped.
 *
 * ```ts
 * {
 *   using tracker = new Tracker("out.bin");
 *   work();
 * }
 * ```
 *
 * There is one active tracker per process. A tracker that nobody stops ends with the process.
 */
export class Tracker {
  readonly #agent: Agent;
  readonly #settings: ResolvedSettings;
  readonly #stopAtExit = () => this.#end("exit");
  /** The capture's absolute path; empty where it goes to a client. */
  #file = "";
  #startTimeMs = 0;
  /** Whether children are followed on this tracker's behalf, and not on that of an ancestor's. */
  #leads = false;
  #started = false;
  #complete: boolean | undefined;

  /**
   * @param path - the capture's path; the file must not exist
   * @throws {TrackerActiveError} another tracker is active
   * @throws {CaptureExistsError} the file exists and overwriting was not asked for
   * @throws {CaptureWriteError} the file cannot be written
   * @throws {SocketListenError} no client can connect to the address and port
   * @throws {SocketInterruptedError} a signal came before a client did
   * @throws {UnsupportedPlatformError}
   * @throws {TypeError} the arguments are not of this form
   */
  constructor(path: string, options?: TrackerOptions);
  constructor(settings: TrackerSettings);
  constructor(target: string | TrackerSettings, options?: TrackerOptions) {
    this.#settings = resolveSettings(target, options);
    this.#agent = loadAgent(packageFolder());
    this.start();
  }

  /**
   * Runs `work` under a tracker of its own and returns what it returns; a promise is awaited before tracking stops.
   * @throws what the constructor and `work` throw
   */
  static run<T>(destination: string | Destination, work: () => T, options: TrackerOptions = {}): T {
    const tracker =
      typeof destination === "string" ? new Tracker(destination, options) : new Tracker({ ...options, destination });
    let result: T;
    try {
      result = work();
    } catch (error) {
      tracker.stop();
      throw error;
    }
    if (isPromise(result)) return result.finally(() => tracker.stop()) as T;
    tracker.stop();
    return result;
  }

  /** Whether this tracker is recording: false once stopped, and when writing the capture failed. */
  get active(): boolean {
    return this.#started && this.#complete === undefined && this.#agent.isActive();
  }

  /**
   * Begins to record; the constructor does so already. With a SocketDestination, once a client has connected.
   * @throws {TrackerActiveError} this or another tracker is active
   * @throws {TrackerReusedError} this tracker was stopped
   */
  start(): void {
    if (this.#complete !== undefined) throw new TrackerReusedError();
    const { destination, memoryIntervalMs, nativeTraces, embedSymbols, traceJsHeap, followFork } = this.#settings;
    if (this.#agent.isActive()) throw new TrackerActiveError();
    const to = this.#agentDestination(destination);
    this.#startTimeMs = Date.now();
    keepExactPositions(this.#agent, traceJsHeap !== false);
    const metadata = JSON.stringify(captureHeader(this.#settings, heaprayVersion(packageFolder())));
    let warning: string;
    try {
      const aggregate = this.#settings.fileFormat === FileFormat.AGGREGATED_ALLOCATIONS;
      const jsObjects = traceJsHeap !== false;
      const recording = { aggregate, nativeTraces, embedSymbols, jsObjects, metadata, memoryIntervalMs };
      warning = this.#agent.start({ ...to, ...recording });
    } catch (error) {
      throw startError(error, isSocketDestination(destination) ? to.destination : destination.path);
    }
    this.#started = true;
    stayLastAtExit(this.#stopAtExit);
    if (followFork && !isSocketDestination(destination)) {
      this.#leads = followChildren(settingsForChildren({ ...this.#settings, destination }, this.#file));
    }
    if (warning !== "") {
      process.emitWarning(
        `JavaScript frames cannot be read in Node.js ${process.version}: ${warning}; allocations are recorded without.`,
        "HeaprayWarning",
      );
    }
    if (traceJsHeap !== false) this.#traceJsHeap(traceJsHeap);
  }

  #traceJsHeap(interval: number): void {
    const warning = this.#agent.traceJsHeap({ interval });
    if (warning === "") return;
    process.emitWarning(
      `JavaScript objects cannot be recorded in Node.js ${process.version}: ${warning}; the heap's pages are instead.`,
      "HeaprayWarning",
    );
  }

  /**
   * Ends the capture, and compresses it unless its destination says otherwise; calling it again does nothing.
   * @returns whether the capture is complete: false when writing it failed on the way (a full disk)
   */
  stop(): boolean {
    return this.#end("stop");
  }

  [Symbol.dispose](): void {
    this.stop();
  }

  /** Where the agent is to write; waits for the client of a socket. */
  #agentDestination(destination: Destination): AgentDestination {
    if (!isSocketDestination(destination)) {
      const { overwrite, buffered } = destination;
      this.#file = path.resolve(destination.path);
      return { destination: this.#file, path: this.#file, overwrite, buffered };
    }
    const { address, serverPort } = destination;
    const shown = `${address.includes(":") ? `[${address}]` : address}:${serverPort}`;
    if (destination instanceof ConnectedDestination) return { destination: shown, listener: destination.listener };
    return { destination: shown, listener: waitForClient(this.#agent, destination) };
  }

  #end(reason: "stop" | "exit"): boolean {
    if (this.#complete === undefined) {
      this.#complete = this.#agent.stop({ reason });
      leaveExit(this.#stopAtExit);
      if (this.#leads) leaveChildren();
      const { destination } = this.#settings;
      if (!isSocketDestination(destination) && destination.compressOnExit) this.#compress();
    }
    return this.#complete;
  }

  #compress(): void {
    compressCaptureSync(this.#file);
    if (!this.#leads) return;
    // Children do so by themselves, unless they were killed.
    const written = childCaptures(this.#file).filter(writtenSince(this.#startTimeMs));
    for (const { file } of written.filter(({ pid }) => hasEnded(pid))) compressCaptureSync(file);
  }
}

function isPromise(value: unknown): value is Promise<unknown> {
  return (
    value instanceof Promise || (typeof value === "object" && value !== null && "then" in value && "finally" in value)
  );
}

function startError(error: unknown, file: string): Error {
  const { code, message } = error as { code?: string; message: string };
  if (code === "ALREADY_ACTIVE") return new TrackerActiveError();
  if (code === "EEXIST") return new CaptureExistsError(file);
  const reason = code === "EOPNOTSUPP" ? "it is not a regular file" : message;
  return new CaptureWriteError(file, code ?? "unknown", reason);
}
