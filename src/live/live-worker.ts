/**
 * The thread that reads a live connection. Reading comes first: it answers between what arrives, and no more often than
 * leaves most of the time for reading.
 */
import { setImmediate as pause, setTimeout as sleep } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";
import { gzipSync } from "node:zlib";
import type { LocationSums } from "../analysis/allocation-record.js";
import type { LiveQuery } from "../analysis/live-locations.js";
import { TimelineRecorder } from "../analysis/memory-timeline.js";
import { SocketReader } from "../analysis/socket-reader.js";
import { CaptureError } from "../capture/errors.js";
import type { MemorySnapshot } from "../capture/records.js";
import { flameGraphDataInParts } from "../reporters/flamegraph.js";
import { encodeFlameGraph } from "../reporters/flamegraph-codec.js";
import { liveGraphData } from "../reporters/live-graph.js";
import type { PageQuery } from "../reporters/live-page-data.js";
import { LateSymbols } from "./late-symbols.js";
import { endOf } from "./live-end.js";
import { LivePace } from "./live-pace.js";
import type { Ask, GraphAnswer, LiveEnd, LiveState, LocationsAnswer, Told, WorkerOptions } from "./messages.js";

/** How often the state is told, milliseconds. */
const STATE_MS = 200;
/** After an answer that took t, reading has the thread for so many t. */
const READING_SHARE = 3;
/** Reading that is less far behind keeps up; it then has the thread for so long at most, milliseconds. */
const KEEPS_UP_MS = 200;
const LONGEST_REST_MS = 500;
/** Of what goes no further than to this machine's browser. */
const PAGE_GZIP_LEVEL = 1;

const { host, port, timeoutMs, sourceMaps } = workerData as WorkerOptions;
const timeline = new TimelineRecorder();
const pace = new LivePace();
const symbols = new LateSymbols();
const reader = new SocketReader({ address: host, port, sourceMaps, onMemorySnapshot, nativeSymbols: symbols });
let memory: MemorySnapshot | undefined;
let end: LiveEnd | undefined;
/** What answers are about in place of what is live now. */
let held: { readonly sums: LocationSums; readonly state: LiveState } | undefined;
/** Location names that were told. */
let namesTold = 0;
/** When the next answer may be computed. */
let answersFrom = 0;
/** When the last answer was ready. */
let answeredAt = 0;
/** By how much reading was behind when that was told last, milliseconds. */
let behindMs = 0;

function tell(told: Told, transfer: readonly ArrayBufferLike[] = []): void {
  parentPort?.postMessage(told, transfer as ArrayBuffer[]);
}

function onMemorySnapshot(snapshot: MemorySnapshot): void {
  memory = snapshot;
  timeline.add(snapshot);
  pace.snapshot(snapshot.timeMs, performance.now());
}

function state(): LiveState {
  const { liveBytes, peakBytes, totalAllocations, threads, warnings } = reader.capture;
  const now = performance.now();
  const { allocationRate, elapsedMs, ...paced } = pace.at(now, totalAllocations, end !== undefined);
  behindMs = paced.behindMs;
  return {
    liveBytes,
    peakBytes,
    totalAllocations,
    allocationRate,
    elapsedMs,
    behindMs,
    memory,
    timeline: timeline.timeline,
    threads,
    warnings,
  };
}

/** When reading can spare the time for an answer. */
async function turn(): Promise<void> {
  while (end === undefined) {
    // Where reading keeps up all the same, it does not need that much: the machine is busy with other things.
    const from = behindMs < KEEPS_UP_MS ? Math.min(answersFrom, answeredAt + LONGEST_REST_MS) : answersFrom;
    const wait = from - performance.now();
    if (wait <= 0) return;
    await sleep(wait);
  }
}

function answered(start: number): void {
  answeredAt = performance.now();
  answersFrom = answeredAt + READING_SHARE * (answeredAt - start);
}

async function locations(query: LiveQuery): Promise<LocationsAnswer> {
  await turn();
  const sums = held?.sums ?? (await namedSums());
  const start = performance.now();
  const totals = reader.capture.locations(query, sums);
  const firstName = namesTold;
  const names = reader.capture.locationNames.slice(firstName);
  namesTold = firstName + names.length;
  answered(start);
  return { firstName, names, totals };
}

/** What is live now, once its native code has names: these are looked for elsewhere. Undefined where there is none. */
async function namedSums(): Promise<LocationSums | undefined> {
  if (!reader.hasNativeTraces) return undefined;
  const sums = reader.capture.hold();
  await symbols.lookFor(reader.capture.missingSymbols(sums));
  return sums;
}

async function graph(query: LiveQuery): Promise<GraphAnswer> {
  const { capture } = reader;
  const { metadata, snapshots, sourceText } = capture;
  if (metadata === undefined) throw new Error("nothing has arrived");
  const { elapsedMs, peakBytes, totalAllocations } = held?.state ?? state();
  const complete = end === undefined || capture.end !== undefined;
  const endTimeMs = metadata.startTimeMs + elapsedMs;
  const sums = held?.sums ?? (await namedSums());
  const data = await flameGraphDataInParts(
    {
      records: capture.records({ ...query, mergeThreads: false }, sums),
      snapshots: snapshots.filter(({ timeMs }) => timeMs <= elapsedMs),
      metadata: { ...metadata, complete, endTimeMs, totalAllocations, peakMemory: peakBytes },
      sourceLine: (file, line) => sourceText.line(file, line),
      kind: "live",
    },
    () => pause(),
  );
  return { data: encodeFlameGraph(data) };
}

async function page(query: PageQuery): Promise<GraphAnswer> {
  await turn();
  const sums = await namedSums();
  const start = performance.now();
  const { contents, metadata: told, snapshots, sourceText, end: toldEnd } = reader.capture;
  if (contents === undefined || told === undefined) throw new Error("nothing has arrived");
  const metadata = { ...told, complete: end === undefined || toldEnd !== undefined };
  const sourceLine = (file: string, line: number) => sourceText.line(file, line);
  const graph = liveGraphData({ ...contents, ...query, sums, snapshots, metadata, sourceLine });
  const data = gzipSync(encodeFlameGraph(graph), { level: PAGE_GZIP_LEVEL });
  answered(start);
  return { data };
}

async function answer(ask: Ask): Promise<void> {
  const { id } = ask;
  try {
    if (ask.what === "hold") {
      const now = state();
      held = { sums: (await namedSums()) ?? reader.capture.hold(), state: now };
      tell({ type: "answer", id, answer: held.state });
    } else if (ask.what === "release") {
      held = undefined;
      tell({ type: "answer", id, answer: state() });
    } else if (ask.what === "locations") {
      const found = await locations(ask.query);
      const { ownBytes, totalBytes, ownAllocations, totalAllocations } = found.totals;
      const columns = [ownBytes, totalBytes, ownAllocations, totalAllocations].map(({ buffer }) => buffer);
      tell({ type: "answer", id, answer: found }, found.totals.ownBytes.length > 0 ? columns : []);
    } else {
      const found = await (ask.what === "page" ? page(ask.query) : graph(ask.query));
      tell({ type: "answer", id, answer: found });
    }
  } catch (error) {
    tell({ type: "refused", id, message: (error as Error).message });
  }
}

async function read(): Promise<void> {
  try {
    await reader.connect({ timeoutMs, onWaiting: () => tell({ type: "waiting" }) });
  } catch (error) {
    const { message } = error as Error;
    const { code, source } = error instanceof CaptureError ? error : { code: undefined, source: "" };
    tell({ type: "failed", code, source, message });
    return;
  }
  parentPort?.on("message", (ask: Ask) => void answer(ask));
  tell({ type: "connected", header: reader.header, state: state() });
  const telling = setInterval(() => tell({ type: "state", state: state() }), STATE_MS);
  try {
    end = await endOf(await reader.untilEnd(), reader.pid, host);
  } catch (error) {
    end = { how: "error", sentence: (error as Error).message };
  }
  clearInterval(telling);
  tell({ type: "ended", state: state(), end });
}

void read();
