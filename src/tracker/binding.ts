import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { UnsupportedPlatformError } from "./errors.js";

/** A socket that waits for a client, and then holds its connection. The agent's own. */
export type Listener = { readonly listener: never };

/** Where the agent writes: into a file, or to the client that a listener got. `destination` is for messages. */
export type AgentDestination = { readonly destination: string } & (
  | { readonly path: string; readonly overwrite: boolean; readonly buffered: boolean }
  | { readonly listener: Listener }
);

/** What is recorded, and how. */
export interface Recording {
  /** Add allocations up in the process instead of writing each one. */
  readonly aggregate: boolean;
  /** Walk native frames too. */
  readonly nativeTraces: boolean;
  /** Write native frames' names into the capture when tracking ends. */
  readonly embedSymbols: boolean;
  /** Objects will be recorded (by {@link Agent.traceJsHeap}, or in windows); pages of their heap are not. */
  readonly jsObjects: boolean;
  readonly memoryIntervalMs: number;
}

/** The numbered form of a capture in a file, being made. The agent's own. */
export type AgentsNumberedForm = { readonly numberedForm: never };

/** What the agent offers (native/node/binding.cc). Errors carry an errno name, or ALREADY_ACTIVE, as their code. */
export interface Agent {
  /** Begins in the background to learn what start() needs to know. */
  prepare(): void;
  /** Returns a warning, or an empty string. */
  start(
    settings: AgentDestination & Recording & { /** The capture's metadata, JSON. */ readonly metadata: string },
  ): string;
  /**
   * Has a signal begin and end recordings, each in a file `<stem>.<number><suffix>`, until closeWindows(). Once in a
   * process, on its main thread.
   * @returns a warning, or an empty string
   */
  openWindows(
    settings: Recording & {
      readonly stem: string;
      readonly suffix: string;
      readonly overwrite: boolean;
      readonly buffered: boolean;
      /** The captures' metadata, JSON: what stands before the time of the start, and behind it. */
      readonly metadata: string;
      readonly metadataRest: string;
      readonly v8Flags: string;
      /** 0: objects are not recorded. */
      readonly jsHeapInterval: number;
      /** Its number; 0: none. */
      readonly signal: number;
      /** A socket that is told what happens, and becomes the agent's; -1: standard error is told. */
      readonly reports: number;
      readonly quiet: boolean;
      /** The first one does not begin at once. */
      readonly paused: boolean;
    },
  ): string;
  /** Ends the window that is open, because the process ends. */
  closeWindows(): void;
  /**
   * Begins to record the objects of all JavaScript heaps, sampled.
   * @returns why that is not possible, or an empty string
   */
  traceJsHeap(settings: {
    /** Mean bytes from one sampled object to the next. */
    readonly interval: number;
  }): string;
  listen(settings: {
    readonly address: string;
    readonly port: number;
    /** Whether the thread does nothing else until there is a client: then signals end the waiting. */
    readonly blocked: boolean;
  }): Listener;
  /**
   * Waits so long for a client; whether one has connected. Throws INTERRUPTED, with a signal's name as its message, when
   * one came that the program handles.
   */
  accept(settings: { readonly listener: Listener; readonly milliseconds: number }): boolean;
  /** Ends the waiting, and the connection unless start() has it. */
  closeListener(settings: { readonly listener: Listener }): void;
  /** Returns whether the capture is complete. */
  stop(settings: { readonly reason: "stop" | "exit" }): boolean;
  isActive(): boolean;
  /** The numbered form of the capture in an open file, read from its position on; null where it has none. */
  numberedForm(settings: { readonly descriptor: number }): AgentsNumberedForm | null;
  /**
   * Writes the form's next bytes into `piece`, of which 16 KiB are left for what goes beyond the last record; how many,
   * none at the end. An error's code is DAMAGED or an errno name.
   */
  nextPiece(settings: { readonly form: AgentsNumberedForm; readonly piece: Buffer }): number;
  /** Bytes of the capture that were read until now. */
  taken(settings: { readonly form: AgentsNumberedForm }): number;
  /** As on Node.js's command line. node:v8 does the same, and takes milliseconds to load. */
  setV8Flags(settings: { readonly flags: string }): void;
  /** From now on this process is killed when its parent, of this process id, ends. */
  endWithParent(settings: { readonly parent: number }): void;
}

const loaded = new Map<string, Agent>();

/** The agent's file, for the running Node.js. */
function agentFileIn(root: string): string {
  return path.join(root, "build", `node-v${process.versions.modules}`, "heapray.node");
}

/** The package's folder: the nearest one above `from` with heapray's package.json. */
export function packageRoot(from: string): string {
  for (let folder = from; ; folder = path.dirname(folder)) {
    const file = path.join(folder, "package.json");
    if (existsSync(file) && (JSON.parse(readFileSync(file, "utf8")) as { name?: string }).name === "heapray") {
      return folder;
    }
    if (folder === path.dirname(folder))
      throw new UnsupportedPlatformError(`heapray's own files are not above ${from}.`);
  }
}

/**
 * Loads the agent that was built for the running Node.js, to track this process.
 * @param from - a folder within the package
 * @throws {UnsupportedPlatformError}
 */
export function loadAgent(from: string): Agent {
  const agent = loadIdleAgent(from);
  agent.prepare();
  return agent;
}

/**
 * Loads the agent for something else than tracking.
 * @param from - a folder within the package
 * @throws {UnsupportedPlatformError}
 */
export function loadIdleAgent(from: string): Agent {
  if (process.platform !== "linux" || process.arch !== "x64") {
    throw new UnsupportedPlatformError(
      `heapray tracks processes on Linux x64; this is ${process.platform} ${process.arch}. Captures can be read here.`,
    );
  }
  const root = packageRoot(from);
  const file = agentFileIn(root);
  const known = loaded.get(file);
  if (known !== undefined) return known;
  if (!existsSync(file)) {
    throw new UnsupportedPlatformError(
      `heapray's agent is not built for Node.js ${process.version}: run "node scripts/build-native.mjs" with that Node.js in ${root}.`,
    );
  }
  try {
    const module = { exports: {} as Agent };
    process.dlopen(module, file);
    loaded.set(file, module.exports);
    return module.exports;
  } catch (error) {
    throw new UnsupportedPlatformError(`heapray's agent does not load: ${(error as Error).message}.`);
  }
}

/** The version in heapray's package.json. */
export function heaprayVersion(from: string): string {
  const text = readFileSync(path.join(packageRoot(from), "package.json"), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}
