import { promisify } from "node:util";
import { Worker } from "node:worker_threads";
import { gzip } from "node:zlib";
import type { LocationName } from "../analysis/function-rows.js";
import type { LiveQuery } from "../analysis/live-locations.js";
import { CaptureError } from "../capture/errors.js";
import type { CaptureHeader } from "../capture/records.js";
import { readTemplate } from "../reporters/flamegraph-page.js";
import type { PageQuery } from "../reporters/live-page-data.js";
import { fillPacked, pageTitle } from "../reporters/report-page.js";
import type { Answer, Ask, GraphAnswer, LiveEnd, LiveState, LocationsAnswer, Told, WorkerOptions } from "./messages.js";

export type { LiveQuery, LiveThread } from "../analysis/live-locations.js";
export type { HowEnded, LiveEnd, LiveState } from "./messages.js";

const zip = promisify(gzip);

export interface ConnectOptions {
  readonly port: number;
  /** 127.0.0.1 unless told. */
  readonly host?: string;
  /** How long to try again while nobody waits for a client there, milliseconds; 0 unless told. */
  readonly timeoutMs?: number;
  /** Whether to show original sources through source maps; true unless told. */
  readonly sourceMaps?: boolean;
  /** Ends the waiting. */
  readonly signal?: AbortSignal;
  /** Called once where nobody waits there yet. */
  readonly onWaiting?: () => void;
}

/** What is live of a function, or of a thread without a stack. Sizes are bytes. */
export interface LiveLocation extends LocationName {
  /** The row keeps this number for the whole session. */
  readonly id: number;
  readonly ownBytes: number;
  /** With what the function called. */
  readonly totalBytes: number;
  readonly ownAllocations: number;
  readonly totalAllocations: number;
}

export interface LiveLocations {
  /** What holds anything, in no order. */
  readonly rows: readonly LiveLocation[];
  /** Of all that was asked for. */
  readonly bytes: number;
  readonly allocations: number;
}

interface Waiting {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
}

/**
 * A running program's memory, as it happens. A thread of its own reads, so that neither reading nor what is done with it
 * holds the other up. After the end, the last state stays to be asked for, until `close`.
 */
export class LiveSession {
  /** What the process told of itself when tracking began. */
  readonly header: CaptureHeader;
  readonly #worker: Worker;
  #state: LiveState;
  #end: LiveEnd | undefined;
  readonly #names: LocationName[] = [];
  readonly #listeners = new Set<() => void>();
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  #closed = false;
  /** Why the thread is gone. */
  #failure: Error | undefined;

  private constructor(worker: Worker, header: CaptureHeader, state: LiveState) {
    this.#worker = worker;
    this.header = header;
    this.#state = state;
    worker.on("message", (told: Told) => this.#hear(told));
    worker.on("error", (error) => this.#fail(error));
    worker.on("exit", () => this.#fail(new Error("the reading thread has ended")));
  }

  /**
   * Connects to a program that waits for a client, which then goes on.
   * @throws CaptureError `CONNECTION`, `NOT_A_CAPTURE`, `NEWER_VERSION`, `CORRUPT`; `CLOSED` where `signal` told
   */
  static async connect(options: ConnectOptions): Promise<LiveSession> {
    const { port, host = "127.0.0.1", timeoutMs = 0, sourceMaps = true, signal, onWaiting } = options;
    const workerData: WorkerOptions = { host, port, timeoutMs, sourceMaps };
    const worker = new Worker(new URL("./live-worker.js", import.meta.url), { workerData, execArgv: [] });
    const abort = () => void worker.terminate();
    signal?.addEventListener("abort", abort);
    try {
      return await new Promise<LiveSession>((resolve, reject) => {
        const end = (error: Error): void => {
          reject(error);
          void worker.terminate();
        };
        const hear = (told: Told): void => {
          if (told.type === "waiting") {
            onWaiting?.();
            return;
          }
          worker.off("message", hear).off("error", end).off("exit", ended);
          if (told.type === "connected") resolve(new LiveSession(worker, told.header, told.state));
          else if (told.type === "failed") end(failure(told));
        };
        worker.on("message", hear);
        const ended = (): void => reject(new CaptureError("CLOSED", "", "Waiting for the program was ended."));
        worker.on("error", end).on("exit", ended);
        if (signal?.aborted) abort();
      });
    } finally {
      signal?.removeEventListener("abort", abort);
    }
  }

  /** What was told last; anew about every 200 milliseconds. */
  get state(): LiveState {
    return this.#state;
  }

  /** How it ended; undefined while it goes on. */
  get end(): LiveEnd | undefined {
    return this.#end;
  }

  /** Whether it goes on, and how it ended. */
  get ended(): LiveEnd["how"] | "no" {
    return this.#end?.how ?? "no";
  }

  /**
   * @param listener called when there is a new state, and at the end
   * @returns what takes it away again
   */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** What is live by function, as soon as reading leaves time for it. */
  async locations(query: LiveQuery = {}): Promise<LiveLocations> {
    const { firstName, names, totals } = (await this.#ask("locations", query)) as LocationsAnswer;
    for (const [i, name] of names.entries()) this.#names[firstName + i] = name;
    const { ownBytes, totalBytes, ownAllocations, totalAllocations, bytes, allocations } = totals;
    const rows: LiveLocation[] = [];
    for (let id = 0; id < totalAllocations.length; id++) {
      if (totalAllocations[id] === 0) continue;
      rows.push({
        id,
        ...(this.#names[id] ?? { function: "", file: "", line: 0 }),
        ownBytes: ownBytes[id] ?? 0,
        totalBytes: totalBytes[id] ?? 0,
        ownAllocations: ownAllocations[id] ?? 0,
        totalAllocations: totalAllocations[id] ?? 0,
      });
    }
    return { rows, bytes, allocations };
  }

  /** What is live as the data of a flame graph, packed as `encodeFlameGraph` does it. */
  async graphData(query: LiveQuery = {}): Promise<Uint8Array> {
    return ((await this.#ask("graph", query)) as GraphAnswer).data;
  }

  /** The largest part of what is live as the live page shows it, packed as `encodeFlameGraph` does it and gzipped. */
  async pageData(query: PageQuery = {}): Promise<Uint8Array> {
    return ((await this.#ask("page", query)) as GraphAnswer).data;
  }

  /**
   * What is live as a flame graph: one HTML document that opens offline.
   * @throws Error when the page's template is not built
   */
  async flameGraph(query: LiveQuery = {}): Promise<string> {
    const template = readTemplate();
    const packed = await zip(await this.graphData(query));
    return fillPacked(template, pageTitle(this.header, "live"), packed);
  }

  /**
   * Holds what is live now: what is asked for after this is about it, until `release`. Reading goes on, and `state` too.
   * @returns what it was like then
   */
  async hold(): Promise<LiveState> {
    return (await this.#ask("hold", {})) as LiveState;
  }

  /** @returns what it is like now */
  async release(): Promise<LiveState> {
    return (await this.#ask("release", {})) as LiveState;
  }

  /** Ends the connection; the program goes on, untracked. Nothing can be asked for any more. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#listeners.clear();
    await this.#worker.terminate();
  }

  #ask(what: Ask["what"], query: LiveQuery | PageQuery): Promise<Answer> {
    if (this.#closed) return Promise.reject(new CaptureError("CLOSED", "", "The live session is closed."));
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, what, query } as Ask);
    });
  }

  #hear(told: Told): void {
    switch (told.type) {
      case "state":
      case "ended":
        this.#state = told.state;
        if (told.type === "ended") this.#end = told.end;
        for (const listener of this.#listeners) listener();
        break;
      case "answer":
        this.#waiting.get(told.id)?.resolve(told.answer);
        this.#waiting.delete(told.id);
        break;
      case "refused":
        this.#waiting.get(told.id)?.reject(new Error(told.message));
        this.#waiting.delete(told.id);
        break;
    }
  }

  /** The thread is gone, out of memory at worst. */
  #fail(error: Error): void {
    this.#failure ??= error;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
    if (this.#closed || this.#end?.how === "error") return;
    this.#end = { how: "error", sentence: `reading failed: ${error.message}.` };
    for (const listener of this.#listeners) listener();
  }
}

function failure({ code, source, message }: Extract<Told, { type: "failed" }>): Error {
  return code === undefined ? new Error(message) : new CaptureError(code, source, message);
}
