import type { CaptureSource, EqualPeaks } from "../capture/capture-source.js";
import { CaptureError } from "../capture/errors.js";
import { EventBatch, SNAPSHOT_EVENT } from "../capture/event-batch.js";
import type { AllocationRecord, MemorySnapshot, Metadata } from "../capture/records.js";
import type { AllocatorType } from "../capture/wire.js";
import { FunctionNames } from "../symbols/function-names.js";
import type { NativeSymbols } from "../symbols/native-symbols.js";
import { SourceMaps } from "../symbols/source-maps.js";
import { SourceText } from "../symbols/source-text.js";
import type { ReadText } from "../symbols/text-files.js";
import { AllocationLifetimes } from "./allocation-lifetimes.js";
import { atEnd, atPeak, eventRecord, locationRecords, type RecordContext } from "./allocation-record.js";
import { AllocationStatistics } from "./allocation-statistics.js";
import type { Births } from "./births.js";
import { type CaptureContents, contentsOf, type FurtherAnalyses } from "./capture-contents.js";
import { IntervalSnapshots } from "./interval-snapshots.js";
import { LiveAtMoments } from "./live-at-moments.js";
import type { LiveMemory, LiveMemoryOptions } from "./live-memory.js";
import type { LocationFigures } from "./location-figures.js";
import type { ChangeReader } from "./memory-changes.js";
import { mergedLifetimes, mergedMarks } from "./merged-threads.js";
import { NativeFrames } from "./native-frames.js";
import { type ResidentMemory, residentMemory } from "./resident-memory.js";
import { SnapshotSeries } from "./snapshot-series.js";
import { StackTraces } from "./stack-traces.js";
import { type Statistics, statisticsOf } from "./statistics.js";
import { TemporalHighWaterMarks } from "./temporal-high-water-marks.js";
import {
  type TemporalAllocationRecords,
  type TemporalHighWaterMarkAllocationRecords,
  temporalRecords,
} from "./temporal-records.js";
import { TemporaryAllocations } from "./temporary-allocations.js";

export interface ReaderOptions {
  /** Whether stack traces show original sources through source maps; true unless told. */
  readonly sourceMaps?: boolean;
  /** Reads source maps and sources; a FileReader reads them from disk, any other reader has none unless told. */
  readonly readText?: ReadText;
  /**
   * Looks up native frames in the modules' files. A FileReader does so on this machine; any other reader has the names
   * that the capture brought along, unless told.
   */
  readonly nativeSymbols?: NativeSymbols;
  /** Memory snapshots to keep, evenly thinned out beyond; 10,000 unless told. */
  readonly maxMemorySnapshots?: number;
  /** Called as a pass over the capture goes on. */
  readonly onProgress?: (bytesRead: number, totalBytes: number) => void;
}

export interface MergeOptions {
  /** One record per stack and allocator (tid 0) instead of one per thread, stack and allocator; true unless told. */
  readonly mergeThreads?: boolean;
}

/** Which of a capture's allocations a report is about. */
export type RecordsKind = "high-water-mark" | "leaks" | "temporary";

export interface TemporaryOptions extends MergeOptions {
  /**
   * How many other allocations of the same thread there may be between a temporary allocation and its free; 1 unless
   * told, with which a container that grows is seen.
   */
  readonly threshold?: number;
}

export interface StatisticsOptions {
  /** How many locations and modules to tell of; 5 unless told. */
  readonly numLargest?: number;
}

/** Starts a pass over the capture; `onRead` is to be called with the bytes read so far. */
export type OpenCapture = (onRead: (bytesRead: number) => void) => CaptureSource;

/** What one pass over the whole capture finds. */
interface Scan {
  /** @throws CaptureError `NO_DATA` */
  readonly figures: () => LocationFigures;
  readonly snapshots: SnapshotSeries;
  readonly source: CaptureSource;
  readonly context: RecordContext;
}

/**
 * Answers questions about a capture, wherever it is. The whole capture is read once, when first needed, for the
 * high-water mark, the leaks and the snapshots together; what is kept is as large as the program's live allocations and
 * distinct stacks, not as the capture.
 */
export class CaptureReader implements Disposable {
  /**
   * The header's fields are there at once; `peakMemory`, `totalAllocations`, `endTimeMs` and `complete` read the whole
   * capture when first asked for, and the first two throw `NO_DATA` where an aggregated capture was not completed.
   */
  readonly metadata: Metadata;
  /** The lines of the sources that frames are in. */
  readonly sourceText: SourceText;

  readonly #name: string;
  readonly #open: () => CaptureSource;
  readonly #maxSnapshots: number;
  readonly #equalPeaks: EqualPeaks | undefined;
  readonly #maps: SourceMaps | undefined;
  readonly #names: FunctionNames | undefined;
  readonly #symbols: NativeSymbols | undefined;
  readonly #warnings = new Set<string>();
  readonly #contents: CaptureContents;
  /** The pass that the header was read with, not yet used for anything else. */
  #unused: CaptureSource | undefined;
  #scanned: Scan | undefined;
  #closed = false;

  /**
   * `name` is what messages call the capture, `totalBytes` its size for `onProgress`.
   * @throws CaptureError when the capture cannot be opened or has no header that can be read.
   */
  constructor(name: string, totalBytes: number, open: OpenCapture, options: ReaderOptions = {}) {
    const { onProgress, readText = () => undefined } = options;
    this.#name = name;
    this.#open = () => open((bytesRead) => onProgress?.(bytesRead, totalBytes));
    this.#maxSnapshots = options.maxMemorySnapshots ?? 10_000;
    this.#maps = options.sourceMaps === false ? undefined : new SourceMaps(readText);
    this.#names = this.#maps && new FunctionNames(readText, this.#maps);
    this.#symbols = options.nativeSymbols;
    this.sourceText = new SourceText(readText, this.#maps);
    this.#unused = this.#open();
    this.#equalPeaks = this.#unused.equalPeaks;
    this.metadata = this.#makeMetadata(this.#unused);
    this.#contents = contentsOf(this.metadata.fileFormat, name);
  }

  /**
   * Every allocation and every free, in their order; frees have the allocator `FREE` or `MUNMAP` and no stack.
   * Each call is a pass over the capture.
   * @throws CaptureError `AGGREGATED`; while iterating, `CORRUPT` where a record is damaged.
   */
  getAllocationRecords(): IterableIterator<AllocationRecord> {
    this.#contents.checkSingleRecords();
    return this.#allEvents(this.#openPass());
  }

  /**
   * The allocations that were live when the live bytes first reached their maximum, merged by location.
   * @throws CaptureError `CORRUPT`, `NO_DATA`
   */
  getHighWatermarkAllocationRecords({ mergeThreads = true }: MergeOptions = {}): IterableIterator<AllocationRecord> {
    const { context, figures } = this.#scan();
    const held = figures();
    return locationRecords(context, held.locations, atPeak(held), mergeThreads);
  }

  /**
   * The allocations that were live at the capture's end, merged by location.
   * @throws CaptureError `CORRUPT`, `NO_DATA`
   */
  getLeakedAllocationRecords({ mergeThreads = true }: MergeOptions = {}): IterableIterator<AllocationRecord> {
    const { context, figures } = this.#scan();
    const held = figures();
    return locationRecords(context, held.locations, atEnd(held), mergeThreads);
  }

  /**
   * The temporary allocations, merged by location: freed by the thread that made them before it made more than
   * `threshold` others. Each call is a pass over the capture.
   * @throws CaptureError `CORRUPT`, `AGGREGATED`
   * @throws RangeError the threshold is no whole number, or negative
   */
  getTemporaryAllocationRecords(options: TemporaryOptions = {}): IterableIterator<AllocationRecord> {
    const { mergeThreads = true, threshold = 1 } = options;
    if (!Number.isSafeInteger(threshold) || threshold < 0) {
      throw new RangeError(
        `The threshold of temporary allocations must be a whole number, 0 or more, not ${threshold}.`,
      );
    }
    const { found, scan } = this.#analyse((live) => new TemporaryAllocations(live.locations, threshold));
    return locationRecords(scan.context, scan.figures().locations, found, mergeThreads);
  }

  /**
   * All allocations, freed or not, merged by location. Each call is a pass over the capture.
   * @throws CaptureError `CORRUPT`, `AGGREGATED`
   */
  getTotalAllocationRecords({ mergeThreads = true }: MergeOptions = {}): IterableIterator<AllocationRecord> {
    const { found, scan } = this.#analyse((live) => new AllocationStatistics(live.locations));
    return locationRecords(scan.context, scan.figures().locations, found, mergeThreads);
  }

  /**
   * What was allocated and when it was freed, in intervals between memory snapshots, by location: from it follows what
   * any range of time leaked. Allocations that were freed in the interval that they were made in are left out. Each call
   * is a pass over the capture.
   * @throws CaptureError `CORRUPT`, `AGGREGATED`
   */
  getTemporalAllocationRecords({ mergeThreads = true }: MergeOptions = {}): TemporalAllocationRecords {
    const snapshots = new IntervalSnapshots();
    const { found, scan } = this.#analyse(
      (live) => new AllocationLifetimes(live.births as Births),
      { maxIntervals: this.#maxSnapshots, births: true },
      snapshots,
    );
    const { locations } = scan.figures();
    const rows = mergeThreads ? mergedLifetimes(found.records(), locations) : found.records();
    return {
      snapshots: snapshots.snapshots,
      [Symbol.iterator]: () => temporalRecords(scan.context, locations, rows, mergeThreads),
    };
  }

  /**
   * What was held at the high-water mark of each interval between memory snapshots, by location: from it follows the
   * high-water mark of any range of time, which is that of its highest interval. Each call is a pass over the capture.
   * @throws CaptureError `CORRUPT`, `AGGREGATED`
   */
  getTemporalHighWaterMarkAllocationRecords(options: MergeOptions = {}): TemporalHighWaterMarkAllocationRecords {
    const { mergeThreads = true } = options;
    const snapshots = new IntervalSnapshots();
    const { found, scan } = this.#analyse(
      (live) => new TemporalHighWaterMarks(live.locations, this.#equalPeaks),
      { maxIntervals: this.#maxSnapshots },
      snapshots,
    );
    const { locations } = scan.figures();
    const rows = mergeThreads ? mergedMarks(found.records(), locations) : found.records();
    return {
      snapshots: snapshots.snapshots,
      highWaterMarkBySnapshot: found.bytesByInterval,
      [Symbol.iterator]: () => temporalRecords(scan.context, locations, rows, mergeThreads),
    };
  }

  /**
   * What was allocated in all, freed or not: totals, sizes, allocators, and the locations and modules that allocated
   * most. Each call is a pass over the capture.
   * @throws CaptureError `CORRUPT`, `AGGREGATED`
   * @throws RangeError `numLargest` is no whole number, or less than 1
   */
  getStatistics({ numLargest = 5 }: StatisticsOptions = {}): Statistics {
    if (!Number.isSafeInteger(numLargest) || numLargest < 1) {
      throw new RangeError(`The number of locations to tell of must be a whole number, 1 or more, not ${numLargest}.`);
    }
    const { found, scan } = this.#analyse((live) => new AllocationStatistics(live.locations));
    const figures = scan.figures();
    return statisticsOf(found, figures, scan.context, { cwd: this.metadata.cwd, numLargest });
  }

  /**
   * The allocations that were live at each of the given moments, merged by location. A moment is the first memory
   * snapshot that is not before it; after the last one it is the end. Each call is one pass over the capture.
   * @param timesMs milliseconds since tracking started
   * @returns the records of each moment, in the same order
   * @throws CaptureError `CORRUPT`, `AGGREGATED`
   * @throws RangeError a moment is negative, or no number
   */
  getLiveAllocationRecordsAt(
    timesMs: readonly number[],
    { mergeThreads = true }: MergeOptions = {},
  ): IterableIterator<AllocationRecord>[] {
    for (const timeMs of timesMs) {
      if (!(timeMs >= 0))
        throw new RangeError(`A moment must be milliseconds since the start, 0 or more, not ${timeMs}.`);
    }
    const { found, scan } = this.#analyse(() => new LiveAtMoments(timesMs));
    const { locations } = scan.figures();
    return timesMs.map((timeMs) => locationRecords(scan.context, locations, found.at(timeMs), mergeThreads));
  }

  /** The process's memory over time. */
  getMemorySnapshots(): IterableIterator<MemorySnapshot> {
    return this.#scan().snapshots.snapshots.values();
  }

  /**
   * Where RSS went when it was highest, or nearly so; undefined where the capture does not tell, as those of programs do
   * that ended within milliseconds, and those of older versions.
   * @throws CaptureError `CORRUPT`
   */
  getResidentMemory(): ResidentMemory | undefined {
    const { explained, highestRss } = this.#scan().snapshots;
    return explained && residentMemory(explained, highestRss);
  }

  /** What the stack traces given so far lack, and why; a sentence each. */
  get warnings(): readonly string[] {
    return [...this.#warnings];
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Lets go of the capture. Records that were read stay valid, anything else throws from now on. */
  close(): void {
    this.#closed = true;
    this.#unused?.close();
    this.#unused = undefined;
    this.#scanned = undefined;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  *#allEvents(source: CaptureSource): Generator<AllocationRecord, void, undefined> {
    const context = this.#contextOf(source);
    const batch = new EventBatch();
    try {
      while (source.next(batch)) {
        context.stacks.follow();
        const { kind, thread, node, address, size, length } = batch;
        for (let i = 0; i < length; i++) {
          const allocator = kind[i] as AllocatorType;
          if ((allocator as number) === SNAPSHOT_EVENT) continue;
          const [threadIndex, stack] = [thread[i] as number, node[i] as number];
          yield eventRecord(context, threadIndex, stack, allocator, address[i] as number, size[i] as number);
        }
      }
    } finally {
      source.close();
    }
  }

  #contextOf({ tables, header: { runtime } }: CaptureSource): RecordContext {
    const native = new NativeFrames(tables, this.#symbols, this.#warnings);
    return { tables, stacks: new StackTraces(tables, { maps: this.#maps, names: this.#names, native, runtime }) };
  }

  #openPass(): CaptureSource {
    if (this.#closed) {
      throw new CaptureError("CLOSED", this.#name, `The reader of ${this.#name} is closed; open a new one.`);
    }
    const source = this.#unused ?? this.#open();
    this.#unused = undefined;
    return source;
  }

  #scan(): Scan {
    return this.#scanned ?? this.#read();
  }

  /**
   * Another pass, for an analysis that needs single records; `others` read along.
   * @throws CaptureError `AGGREGATED`, `CORRUPT`
   */
  #analyse<Analysis extends ChangeReader>(
    make: (live: LiveMemory) => Analysis,
    live?: LiveMemoryOptions,
    ...others: ChangeReader[]
  ): { found: Analysis; scan: Scan } {
    this.#contents.checkSingleRecords();
    const found: Analysis[] = [];
    const readers = (memory: LiveMemory): ChangeReader[] => {
      found.push(make(memory));
      return [...others, ...found];
    };
    const scan = this.#read({ live, readers });
    return { found: found[0] as Analysis, scan };
  }

  #read(further?: FurtherAnalyses): Scan {
    const source = this.#openPass();
    const snapshots = new SnapshotSeries(this.#maxSnapshots);
    let figures: () => LocationFigures;
    try {
      figures = this.#contents.read(source, (snapshot) => snapshots.add(snapshot), further);
    } finally {
      source.close();
    }
    this.#scanned = { figures, snapshots, source, context: this.#contextOf(source) };
    return this.#scanned;
  }

  #makeMetadata({ header }: CaptureSource): Metadata {
    const scan = (): Scan => this.#scan();
    const { fileFormat, nativeTraces, traceJsHeap, tracePythonAllocators } = header.options;
    return {
      ...header,
      fileFormat: typeof fileFormat === "string" ? fileFormat : "ALL_ALLOCATIONS",
      hasNativeTraces: nativeTraces === true,
      traceJsHeap: typeof traceJsHeap === "number" ? traceJsHeap : false,
      tracePythonAllocators: tracePythonAllocators === true,
      get endTimeMs() {
        const { source, snapshots } = scan();
        return source.end?.endTimeMs ?? header.startTimeMs + (snapshots.last?.timeMs ?? 0);
      },
      get complete() {
        return scan().source.end !== undefined;
      },
      get totalAllocations() {
        return scan().figures().totalAllocations;
      },
      get peakMemory() {
        return scan().figures().peakBytes;
      },
    };
  }
}
