import path from "node:path";
import { type Agent, heaprayVersion, loadAgent } from "./binding.js";
import type { Destination } from "./destinations.js";
import { CaptureExistsError, CaptureWriteError, TrackerActiveError, TrackerReusedError } from "./errors.js";
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
  #started = false;
  #complete: boolean | undefined;

  /**
   * @param path - the capture's path; the file must not exist
   * @throws {TrackerActiveError} another tracker is active
   * @throws {CaptureExistsError} the file exists and overwriting was not asked for
   * @throws {CaptureWriteError} the file cannot be written
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
   * Begins to record; the constructor does so already.
   * @throws {TrackerActiveError} this or another tracker is active
   * @throws {TrackerReusedError} this tracker was stopped
   */
  start(): void {
    if (this.#complete !== undefined) throw new TrackerReusedError();
    const { destination, memoryIntervalMs, fileFormat } = this.#settings;
    const file = path.resolve(destination.path);
    if (this.#agent.isActive()) throw new TrackerActiveError();
    keepExactPositions();
    const metadata = JSON.stringify(captureHeader(this.#settings, heaprayVersion(packageFolder())));
    let warning: string;
    try {
      const { overwrite, buffered } = destination;
      const aggregate = fileFormat === FileFormat.AGGREGATED_ALLOCATIONS;
      warning = this.#agent.start({ path: file, overwrite, buffered, aggregate, metadata, memoryIntervalMs });
    } catch (error) {
      throw startError(error, destination.path);
    }
    this.#started = true;
    stayLastAtExit(this.#stopAtExit);
    if (warning !== "") {
      process.emitWarning(
        `JavaScript frames cannot be read in Node.js ${process.version}: ${warning}; allocations are recorded without.`,
        "HeaprayWarning",
      );
    }
  }

  /**
   * Ends the capture; calling it again does nothing.
   * @returns whether the capture is complete: false when writing it failed on the way (a full disk)
   */
  stop(): boolean {
    return this.#end("stop");
  }

  [Symbol.dispose](): void {
    this.stop();
  }

  #end(reason: "stop" | "exit"): boolean {
    if (this.#complete === undefined) {
      this.#complete = this.#agent.stop({ reason });
      leaveExit(this.#stopAtExit);
    }
    return this.#complete;
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
