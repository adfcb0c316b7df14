import { ArrivingByteSource } from "../capture/byte-source.js";
import type { CaptureEnd } from "../capture/capture-source.js";
import { CaptureDecoder } from "../capture/decoder.js";
import { CaptureError } from "../capture/errors.js";
import { EventBatch } from "../capture/event-batch.js";
import { headerBytes } from "../capture/header.js";
import type { AllocationRecord, CaptureHeader, MemorySnapshot, Metadata } from "../capture/records.js";
import { FunctionNames } from "../symbols/function-names.js";
import type { NativeSymbols } from "../symbols/native-symbols.js";
import { SourceMaps } from "../symbols/source-maps.js";
import { SourceText } from "../symbols/source-text.js";
import type { ReadText } from "../symbols/text-files.js";
import { atEnd, heldSums, type LocationSums, locationRecords, type RecordContext } from "./allocation-record.js";
import type { MergeOptions } from "./capture-reader.js";
import type { LocationName } from "./function-rows.js";
import { HighWaterMark } from "./high-water-mark.js";
import {
  LiveLocations,
  type LiveQuery,
  type LiveThread,
  LiveThreads,
  type LocationTotals,
  selectedSums,
} from "./live-locations.js";
import type { LocationFigures } from "./location-figures.js";
import { type MissingSymbols, NativeFrames } from "./native-frames.js";
import { SnapshotSeries } from "./snapshot-series.js";
import { StackTraces } from "./stack-traces.js";

export interface LiveCaptureOptions {
  /** Whether stack traces show original sources through source maps; true unless told. */
  readonly sourceMaps?: boolean;
  /** Reads source maps and sources; there are none unless told. */
  readonly readText?: ReadText;
  /** Names native frames; they are shown as addresses unless told. */
  readonly nativeSymbols?: NativeSymbols;
  /** Memory snapshots to keep, evenly thinned out beyond; 10,000 unless told. */
  readonly maxMemorySnapshots?: number;
  /** Called at each memory snapshot, kept or not. */
  readonly onMemorySnapshot?: (snapshot: MemorySnapshot) => void;
}

const NO_ROWS = new Float64Array(0);
const NOTHING: LocationTotals = {
  ownBytes: NO_ROWS,
  totalBytes: NO_ROWS,
  ownAllocations: NO_ROWS,
  totalAllocations: NO_ROWS,
  bytes: 0,
  allocations: 0,
};

/**
 * A capture of every allocation while it arrives, wherever it comes from: at any moment, what is live. Its memory grows
 * with the live allocations and the distinct stacks, not with the bytes that have arrived.
 */
export class LiveCapture {
  /** The lines of the sources that frames are in. */
  readonly sourceText: SourceText;
  readonly #mark = new HighWaterMark();
  readonly #snapshots: SnapshotSeries;
  readonly #batch = new EventBatch();
  readonly #source: ArrivingByteSource;
  readonly #maps: SourceMaps | undefined;
  readonly #names: FunctionNames | undefined;
  readonly #symbols: NativeSymbols | undefined;
  readonly #warnings = new Set<string>();
  readonly #onSnapshot: ((snapshot: MemorySnapshot) => void) | undefined;
  /** What came before the whole header was there. */
  #start: Uint8Array = new Uint8Array(0);
  #decoder: CaptureDecoder | undefined;
  #context: RecordContext | undefined;
  #native: NativeFrames | undefined;
  #live: { readonly locations: LiveLocations; readonly threads: LiveThreads } | undefined;

  /** `name` is what messages call the capture. */
  constructor(name: string, options: LiveCaptureOptions = {}) {
    const { readText = () => undefined } = options;
    this.#source = new ArrivingByteSource(name);
    this.#snapshots = new SnapshotSeries(options.maxMemorySnapshots ?? 10_000);
    this.#maps = options.sourceMaps === false ? undefined : new SourceMaps(readText);
    this.#names = this.#maps && new FunctionNames(readText, this.#maps);
    this.sourceText = new SourceText(readText, this.#maps);
    this.#symbols = options.nativeSymbols;
    this.#onSnapshot = options.onMemorySnapshot;
  }

  /**
   * Takes in the bytes that come next, which are not to be changed afterwards.
   * @throws CaptureError `NOT_A_CAPTURE`, `NEWER_VERSION` or `CORRUPT`
   */
  push(bytes: Uint8Array): void {
    if (this.#decoder === undefined) {
      const start = new Uint8Array(this.#start.length + bytes.length);
      start.set(this.#start);
      start.set(bytes, this.#start.length);
      this.#start = start;
      if (start.length < headerBytes(start)) return;
      this.#source.push(start);
      this.#decoder = new CaptureDecoder(this.#source);
      this.#start = new Uint8Array(0);
      const { tables } = this.#decoder;
      const native = new NativeFrames(tables, this.#symbols, this.#warnings);
      this.#native = native;
      const { runtime } = this.#decoder.header;
      const sources = { maps: this.#maps, names: this.#names, native, runtime };
      this.#context = { tables, stacks: new StackTraces(tables, sources) };
    } else if (!this.#decoder.finished) {
      this.#source.push(bytes);
    }
    this.#takeIn(this.#decoder);
  }

  /** The header; undefined until it has arrived. */
  get header(): CaptureHeader | undefined {
    return this.#decoder?.header;
  }

  /** The header and the figures until now; undefined until the header has arrived. Complete is what has not ended, too. */
  get metadata(): Metadata | undefined {
    const { header, end } = this;
    if (header === undefined) return undefined;
    const { fileFormat, nativeTraces, traceJsHeap, tracePythonAllocators } = header.options;
    return {
      ...header,
      fileFormat: typeof fileFormat === "string" ? fileFormat : "ALL_ALLOCATIONS",
      hasNativeTraces: nativeTraces === true,
      traceJsHeap: typeof traceJsHeap === "number" ? traceJsHeap : false,
      tracePythonAllocators: tracePythonAllocators === true,
      endTimeMs: end?.endTimeMs ?? header.startTimeMs + (this.lastSnapshot?.timeMs ?? 0),
      complete: true,
      totalAllocations: this.totalAllocations,
      peakMemory: this.peakBytes,
    };
  }

  /** How tracking ended; undefined until it has. */
  get end(): CaptureEnd | undefined {
    return this.#decoder?.end;
  }

  /** Live bytes now. */
  get liveBytes(): number {
    return this.#mark.liveBytes;
  }

  /** Live bytes at the high-water mark until now. */
  get peakBytes(): number {
    return this.#mark.peakBytes;
  }

  /** Allocations until now. */
  get totalAllocations(): number {
    return this.#mark.totalAllocations;
  }

  /** The process's memory from the start until now. */
  get snapshots(): readonly MemorySnapshot[] {
    return this.#snapshots.snapshots;
  }

  get lastSnapshot(): MemorySnapshot | undefined {
    return this.#snapshots.last;
  }

  /** What the stack traces given so far lack, and why; a sentence each. */
  get warnings(): readonly string[] {
    return [...this.#warnings];
  }

  /** What is live now, to be asked for later: in place of what is live then. */
  hold(): LocationSums {
    return heldSums(atEnd(this.#mark), this.#mark.locations.length);
  }

  /** What will be looked up of native code when that which was `held` is asked for. */
  missingSymbols(held: LocationSums): MissingSymbols[] {
    const { node, length } = this.#mark.locations;
    const nodes: number[] = [];
    for (let location = 0; location < length; location++) if (held.countOf(location) > 0) nodes.push(node.at(location));
    return this.#native?.missing(nodes) ?? [];
  }

  /** The allocations that are live now, or when they were `held`, merged by location. */
  records(
    { mergeThreads = true, ...query }: MergeOptions & LiveQuery = {},
    held: LocationSums = atEnd(this.#mark),
  ): AllocationRecord[] {
    if (this.#context === undefined) return [];
    const { locations } = this.#mark;
    const sums = selectedSums(held, locations, query);
    return [...locationRecords(this.#context, locations, sums, mergeThreads)];
  }

  /** What is live now by function, or was when it was `held`; `locationNames` tells the names. */
  locations(query: LiveQuery = {}, held: LocationSums = atEnd(this.#mark)): LocationTotals {
    return this.#inquiry?.locations.measure(held, query) ?? NOTHING;
  }

  /** Functions that `locations` has told of until now. Only grows. */
  get locationNames(): readonly LocationName[] {
    return this.#inquiry?.locations.names ?? [];
  }

  /** The threads that have allocated, in the order in which they began to. */
  get threads(): LiveThread[] {
    return this.#inquiry?.threads.list ?? [];
  }

  /** What reports of all that is live are made from; undefined until the header has arrived. */
  get contents(): { readonly context: RecordContext; readonly figures: LocationFigures } | undefined {
    return this.#context && { context: this.#context, figures: this.#mark };
  }

  get #inquiry() {
    if (this.#live === undefined && this.#context !== undefined) {
      const { locations } = this.#mark;
      this.#live = {
        locations: new LiveLocations(this.#context, locations),
        threads: new LiveThreads(this.#context, locations),
      };
    }
    return this.#live;
  }

  #takeIn(decoder: CaptureDecoder): void {
    const batch = this.#batch;
    const tell = (index: number): void => {
      const snapshot = batch.snapshots[index];
      if (snapshot === undefined) return;
      const told = { ...snapshot, tracked: this.#mark.liveBytes };
      this.#snapshots.add(told);
      this.#onSnapshot?.(told);
    };
    while (decoder.next(batch)) {
      this.#context?.stacks.follow();
      this.#mark.add(batch, tell);
    }
    if (decoder.finished && decoder.end === undefined) {
      const { name } = this.#source;
      throw new CaptureError(
        "CORRUPT",
        name,
        `${name} is damaged: it ends before tracking did, and goes on all the same.`,
      );
    }
  }
}
