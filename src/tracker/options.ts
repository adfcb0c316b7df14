import { type Destination, FileDestination, isSocketDestination, SocketDestination } from "./destinations.js";

/** What a capture holds; memray's names. */
export enum FileFormat {
  /** Every allocation and every free, in order. */
  ALL_ALLOCATIONS = "ALL_ALLOCATIONS",
  /** Sums by location, of the high-water mark and of what was never freed; written when tracking ends. */
  AGGREGATED_ALLOCATIONS = "AGGREGATED_ALLOCATIONS",
}

export interface TrackerOptions {
  /** Record native (C, C++, Rust) frames as well, between and above the JavaScript ones; false unless told. */
  readonly nativeTraces?: boolean;
  /** Write native frames' names into the capture when tracking ends, so that it can be read elsewhere; with `nativeTraces`. */
  readonly embedSymbols?: boolean;
  /** Milliseconds between two memory snapshots, 10 by default. */
  readonly memoryIntervalMs?: number;
  readonly fileFormat?: FileFormat;
  /**
   * Record the objects of the JavaScript heap as well, sampled; false unless told. A number is the sampling interval in
   * bytes: the mean distance from one sampled object to the next, 1 for every object; true is 16384.
   */
  readonly traceJsHeap?: boolean | number;
  /** Track the Node.js processes that this one starts too, each with a capture `<capture>.<pid>`; false unless told. */
  readonly followFork?: boolean;
}

export interface TrackerSettings extends TrackerOptions {
  readonly destination: Destination;
}

export interface ResolvedSettings {
  readonly destination: Destination;
  readonly nativeTraces: boolean;
  readonly embedSymbols: boolean;
  readonly memoryIntervalMs: number;
  readonly fileFormat: FileFormat;
  /** False, or the sampling interval in bytes. */
  readonly traceJsHeap: false | number;
  readonly followFork: boolean;
}

/** Bytes from one sampled object of the JavaScript heap to the next: see docs/js-heap.md for what it costs. */
export const DEFAULT_JS_HEAP_INTERVAL = 16 * 1024;
export const LONGEST_JS_HEAP_INTERVAL = 2 ** 30;

const LONGEST_INTERVAL_MS = 24 * 60 * 60 * 1000;

/**
 * Checks what a Tracker was made with.
 * @throws {TypeError} neither or both of a path and a destination, an option of the wrong type, `embedSymbols` alone, or
 * an option that needs a file next to a socket
 * @throws {RangeError} an interval that is not from 1 millisecond to a day, or not from 1 byte to 1 GiB
 */
export function resolveSettings(target: unknown, options: unknown): ResolvedSettings {
  const given = settingsOf(target, options);
  const {
    nativeTraces = false,
    embedSymbols = false,
    memoryIntervalMs = 10,
    fileFormat = FileFormat.ALL_ALLOCATIONS,
    traceJsHeap = false,
    followFork = false,
  } = given;
  if (typeof nativeTraces !== "boolean") throw new TypeError("nativeTraces is a boolean.");
  if (typeof embedSymbols !== "boolean") throw new TypeError("embedSymbols is a boolean.");
  if (embedSymbols && !nativeTraces) throw new TypeError("embedSymbols names native frames: it needs nativeTraces.");
  if (typeof followFork !== "boolean") throw new TypeError("followFork is a boolean.");
  if (!Number.isInteger(memoryIntervalMs) || memoryIntervalMs < 1 || memoryIntervalMs > LONGEST_INTERVAL_MS) {
    throw new RangeError("memoryIntervalMs is a whole number of milliseconds, from 1 to a day.");
  }
  if (!Object.values(FileFormat).includes(fileFormat)) {
    const names = Object.values(FileFormat).map((name) => `FileFormat.${name}`);
    throw new TypeError(`fileFormat is ${names.join(" or ")}, not ${String(fileFormat)}.`);
  }
  if (isSocketDestination(given.destination)) {
    if (followFork) throw new TypeError("followFork needs a file: a client reads one process's records.");
    if (fileFormat === FileFormat.AGGREGATED_ALLOCATIONS) {
      throw new TypeError("FileFormat.AGGREGATED_ALLOCATIONS needs a file: it is written when tracking ends.");
    }
  }
  return {
    destination: given.destination,
    nativeTraces,
    embedSymbols,
    memoryIntervalMs,
    fileFormat,
    traceJsHeap: jsHeapInterval(traceJsHeap),
    followFork,
  };
}

function jsHeapInterval(value: unknown): false | number {
  if (typeof value === "boolean") return value && DEFAULT_JS_HEAP_INTERVAL;
  if (typeof value !== "number") throw new TypeError("traceJsHeap is a boolean, or an interval in bytes.");
  if (!Number.isInteger(value) || value < 1 || value > LONGEST_JS_HEAP_INTERVAL) {
    throw new RangeError("traceJsHeap is a whole number of bytes, from 1 to 1 GiB.");
  }
  return value;
}

function settingsOf(target: unknown, options: unknown): TrackerSettings {
  if (typeof target === "string") {
    if (isObject(options) && "destination" in options) {
      throw new TypeError("A Tracker takes a path or a destination, not both.");
    }
    if (options !== undefined && !isObject(options)) throw new TypeError("A Tracker's options are an object.");
    return { ...options, destination: new FileDestination(target) };
  }
  if (target instanceof FileDestination || target instanceof SocketDestination) {
    throw new TypeError("Pass a destination by name: new Tracker({ destination }).");
  }
  if (!isObject(target) || !isDestination(target.destination)) {
    throw new TypeError(
      'A Tracker takes a path or a destination: new Tracker("out.bin"), new Tracker({ destination }).',
    );
  }
  if (options !== undefined) throw new TypeError("Next to a destination, the options stand in the same object.");
  return { ...target, destination: target.destination };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/** By its shape: the class exists twice in a process that uses both import and require. */
function isDestination(value: unknown): value is Destination {
  if (!isObject(value)) return false;
  if (typeof value.serverPort === "number" && typeof value.address === "string") return true;
  if (typeof value.path !== "string" || typeof value.overwrite !== "boolean") return false;
  return value.path !== "" && !value.path.includes("\0");
}
