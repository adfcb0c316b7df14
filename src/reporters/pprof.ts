import { Gzip } from "fflate";
import {
  emptyTableToken,
  type LabelInput,
  Profile,
  type ProfileInput,
  type SampleInput,
  StringTable,
} from "pprof-format";
import type { AllocationRecord, Metadata } from "../capture/records.js";
import { AllocatorType } from "../capture/wire.js";
import { PprofTables } from "./pprof-tables.js";
import { framesOf } from "./record-frames.js";

/** Samples that are encoded together. */
const SAMPLES_PER_PIECE = 4096;

export interface PprofInput {
  /** What was live at the chosen moment, or temporary allocations; not merged over threads. */
  readonly records: Iterable<AllocationRecord>;
  readonly kind: "high-water-mark" | "leaks" | "temporary";
  /** All allocations, freed or not; undefined where the capture does not tell. Not merged over threads. */
  readonly allocated?: Iterable<AllocationRecord> | undefined;
  readonly metadata: Metadata;
}

interface Sums {
  count: number;
  bytes: number;
}

/**
 * Writes a heap profile as pprof reads it (profile.proto, gzip), with the sample types of Go's: `alloc_objects`,
 * `alloc_space`, `inuse_objects` and `inuse_space`, without the first two where the capture does not tell them; temporary
 * allocations are called `temporary_objects` and `temporary_space` in place of the last two. A sample is a stack with an
 * allocator and a thread, which are its labels.
 *
 * Encoded in pieces: messages that follow each other are one message in protobuf. Memory grows with the locations held
 * and with the distinct frames.
 */
export function writePprof(input: PprofInput, write: (chunk: Uint8Array) => void): void {
  const { records, allocated, metadata } = input;
  // Without a time, so that the same capture gives the same file.
  const gzip = new Gzip({ level: 6, mtime: 0 }, (bytes) => write(bytes));
  const tables = new PprofTables(metadata.commandLine[0] ?? "");
  const encode = (part: ProfileInput): Uint8Array =>
    new Profile({ stringTable: new StringTable(emptyTableToken), ...part }).encode();
  let samples: SampleInput[] = [];
  const flush = (): void => {
    if (samples.length > 0) gzip.push(encode({ sample: samples }));
    samples = [];
  };
  const add = (record: AllocationRecord, values: number[]): void => {
    samples.push({ locationId: tables.locationsOf(framesOf(record)), value: values, label: labels(tables, record) });
    if (samples.length === SAMPLES_PER_PIECE) flush();
  };

  gzip.push(encode(head(tables, input)));
  if (allocated === undefined) {
    for (const record of records) add(record, [record.nAllocations, record.size]);
  } else {
    const chosen = sumsByPlace(records);
    for (const record of allocated) {
      const place = placeOf(record);
      const { count, bytes } = chosen.get(place) ?? { count: 0, bytes: 0 };
      // Threads of one id come one after the other; the first has the bytes of all.
      chosen.delete(place);
      add(record, [record.nAllocations, record.size, count, bytes]);
    }
  }
  flush();
  gzip.push(new Profile(tables.finish()).encode(), true);
}

function sumsByPlace(records: Iterable<AllocationRecord>): Map<string, Sums> {
  const byPlace = new Map<string, Sums>();
  for (const record of records) {
    const place = placeOf(record);
    const sums = byPlace.get(place);
    if (sums === undefined) {
      byPlace.set(place, { count: record.nAllocations, bytes: record.size });
    } else {
      sums.count += record.nAllocations;
      sums.bytes += record.size;
    }
  }
  return byPlace;
}

/** What a sample is of. */
function placeOf({ stackId, tid, allocator }: AllocationRecord): string {
  return `${stackId} ${tid} ${allocator}`;
}

function labels(tables: PprofTables, { allocator, tid, threadName }: AllocationRecord): LabelInput[] {
  return [
    { key: tables.string("allocator"), str: tables.string(AllocatorType[allocator] ?? String(allocator)) },
    { key: tables.string("thread"), str: tables.string(threadName) },
    { key: tables.string("tid"), num: tid },
  ];
}

function head(tables: PprofTables, { metadata, kind, allocated }: PprofInput): ProfileInput {
  const valueType = (type: string, unit: string) => ({ type: tables.string(type), unit: tables.string(unit) });
  const valueTypes = (what: string) => [valueType(`${what}_objects`, "count"), valueType(`${what}_space`, "bytes")];
  const chosen = kind === "temporary" ? "temporary" : "inuse";
  const { startTimeMs, endTimeMs, commandLine, runtime, heaprayVersion } = metadata;
  return {
    sampleType: [...(allocated === undefined ? [] : valueTypes("alloc")), ...valueTypes(chosen)],
    defaultSampleType: tables.string(`${chosen}_space`),
    periodType: valueType("space", "bytes"),
    period: 1,
    timeNanos: nanoseconds(startTimeMs),
    durationNanos: nanoseconds(Math.max(0, endTimeMs - startTimeMs)),
    comment: [
      tables.string(commandLine.join(" ")),
      tables.string(`${runtime.name} ${runtime.version}, heapray ${heaprayVersion}`),
    ],
  };
}

function nanoseconds(milliseconds: number): bigint {
  return BigInt(Math.round(milliseconds * 1000)) * 1000n;
}
