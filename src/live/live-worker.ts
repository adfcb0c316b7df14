/**
 * The thread that reads a live connection. Reading comes first: it answers between what arrives, and no more often than
 * leaves most of the time for reading.
 */
import { setImmediate as pause, setTimeout as sleep } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";
import type { LocationSums } from "../analysis/allocation-record.js";
import type { LiveQuery } from "../analysis/live-locations.js";
import { TimelineRecorder } from "../analysis/memory-timeline.js";
import { SocketReader } from "../analysis/socket-reader.js";
import { CaptureError } from "../capture/errors.js";
import type { MemorySnapshot } from "../capture/records.js";
import { flameGraphDataInParts } from "../reporters/flamegraph.js";
import { encodeFlameGraph } from "../reporters/flamegraph-codec.js";
import { endOf } from "./live-end.js";
import { LivePace } from "./live-pace.js";
import type { Ask, GraphAnswer, LiveEnd, LiveState, LocationsAnswer, Told, WorkerOptions } from "./messages.js";

/** How often the state is told, milliseconds. */
const STATE_MS = 200;
/** After an answer that took t, reading has the thread for so many t. */
const READING_SHARE = 3;

const { host, port, timeoutMs, sourceMaps } = workerData as WorkerOptions;
const timeline = new TimelineRecorder();
const pace = new LivePace();
const reader = new SocketReader({ address: host, port, sourceMaps, onMemorySnapshot });
let memory: MemorySnapshot | undefined;
let end: LiveEnd | undefined;
/** What answers are about in place of what is live now. */
let held: { readonly sums: LocationSums; readonly state: LiveState } | undefined;
/** Location names that were told. */
let namesTold = 0;
/** When the next answer may be computed. */
let answersFrom = 0;

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
  const { allocationRate, behindMs, elapsedMs } = pace.at(now, totalAllocations, end !== undefined);
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

async function locations(query: LiveQuery): Promise<LocationsAnswer> {
  const wait = answersFrom - performance.now();
  if (wait > 0 && end === undefined) await sleep(wait);
  const start = performance.now();
  const totals = reader.capture.locations(query, held?.sums);
  const firstName = namesTold;
  const names = reader.capture.locationNames.slice(firstName);
  namesTold = firstName + names.length;
  const now = performance.now();
  answersFrom = now + READING_SHARE * (now - start);
  return { firstName, names, totals };
}

async function graph(query: LiveQuery): Promise<GraphAnswer> {
  const { capture } = reader;
  const { metadata, snapshots, sourceText } = capture;
  if (metadata === undefined) throw new Error("nothing has arrived");
  const { elapsedMs, peakBytes, totalAllocations } = held?.state ?? state();
  const complete = end === undefined || capture.end !== undefined;
  const endTimeMs = metadata.startTimeMs + elapsedMs;
  const data = await flameGraphDataInParts(
    {
      records: capture.records({ ...query, mergeThreads: false }, held?.sums),
      snapshots: snapshots.filter(({ timeMs }) => timeMs <= elapsedMs),
      metadata: { ...metadata, complete, endTimeMs, totalAllocations, peakMemory: peakBytes },
      sourceLine: (file, line) => sourceText.line(file, line),
      kind: "live",
    },
    () => pause(),
  );
  return { data: encodeFlameGraph(data) };
}

async function answer({ id, what, query }: Ask): Promise<void> {
  try {
    if (what === "hold") {
      held = { sums: reader.capture.hold(), state: state() };
      tell({ type: "answer", id, answer: held.state });
    } else if (what === "release") {
      held = undefined;
      tell({ type: "answer", id, answer: state() });
    } else if (what === "locations") {
      const found = await locations(query);
      const { ownBytes, totalBytes, ownAllocations, totalAllocations } = found.totals;
      const columns = [ownBytes, totalBytes, ownAllocations, totalAllocations].map(({ buffer }) => buffer);
      tell({ type: "answer", id, answer: found }, found.totals.ownBytes.length > 0 ? columns : []);
    } else {
      const found = await graph(query);
      tell({ type: "answer", id, answer: found });
    }
  } catch (error) {
    tell({ type: "refused", id, message: (error as Error).message });
  }
}

async function read(): Promise<void> {
  try {
    await reader.connect({ timeoutMs });
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
