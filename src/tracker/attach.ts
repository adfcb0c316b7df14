/**
 * What `heapray attach` loads into a running process, and calls there: answers are JSON, and nothing is thrown into the
 * program.
 */
import type { AttachAnswer, AttachSettings, FileOutput, LiveOutput } from "./attach-settings.js";
import { loadAgent } from "./binding.js";
import { ConnectedDestination } from "./connected-destination.js";
import { type Destination, FileDestination } from "./destinations.js";
import { LiveClient } from "./live-client.js";
import { FileFormat } from "./options.js";
import { packageFolder } from "./package-folder.js";
import { Tracker } from "./tracker.js";

/** How often to look whether tracking has ended by itself (a full disk, a client that has gone). */
const LOOK_MS = 1000;
/** How long to listen for a client after this was asked for last: heapray asks again all the time, unless it was killed. */
const CLIENT_PATIENCE_MS = 15_000;

let tracker: Tracker | undefined;
let current = "";
let client: LiveClient | undefined;
let forsaken: NodeJS.Timeout | undefined;
const timers: NodeJS.Timeout[] = [];

/** Starts to track this process; with a client, once it has connected: until then this is to be asked again. */
export function attach(settings: AttachSettings): string {
  return answer(() => {
    const { id, to, aggregate, durationMs, tracePythonAllocators: _, ...options } = settings;
    if (tracker?.active) {
      if (id === current) return {};
    } else {
      stop();
    }
    const fileFormat = aggregate ? FileFormat.AGGREGATED_ALLOCATIONS : FileFormat.ALL_ALLOCATIONS;
    const destination = "port" in to ? connected(to) : fileOf(to);
    if (destination === undefined) return { waiting: true };
    tracker = new Tracker({ ...options, destination, fileFormat });
    current = id;
    if (durationMs !== undefined) timers.push(setTimeout(stop, durationMs));
    timers.push(setInterval(() => tracker?.active || stop(), LOOK_MS));
    for (const timer of timers) timer.unref();
    return {};
  });
}

function fileOf({ file, overwrite }: FileOutput): Destination {
  // Who attached compresses the capture: here it would hold up the program.
  return new FileDestination(file, { overwrite, compressOnExit: false });
}

/** The client that has connected; undefined while there is none. */
function connected({ port, user }: LiveOutput): Destination | undefined {
  if (client?.port !== port) {
    forsakeClient();
    client = new LiveClient(port);
  }
  clearTimeout(forsaken);
  try {
    if (!client.hasConnected(user)) {
      forsaken = setTimeout(forsakeClient, CLIENT_PATIENCE_MS).unref();
      return undefined;
    }
  } catch (error) {
    forsakeClient();
    throw error;
  }
  const { listener } = client;
  client = undefined;
  return new ConnectedDestination(port, listener);
}

/** Listens no longer. */
function forsakeClient(): void {
  clearTimeout(forsaken);
  client?.close();
  client = undefined;
}

/** Ends that. */
export function detach(): string {
  return answer(() => {
    forsakeClient();
    const complete = stop();
    return complete === undefined ? { trackedOtherwise: loadAgent(packageFolder()).isActive() } : { complete };
  });
}

/** @returns whether the capture is complete; undefined where there is none */
function stop(): boolean | undefined {
  for (const timer of timers.splice(0)) clearTimeout(timer);
  const stopped = tracker;
  tracker = undefined;
  return stopped?.stop();
}

function answer(work: () => AttachAnswer): string {
  try {
    return JSON.stringify(work());
  } catch (error) {
    const { code = "unknown", message } = error as { code?: string; message: string };
    return JSON.stringify({ error: { code, message: message.replace(/\.\.$/, ".") } });
  }
}
