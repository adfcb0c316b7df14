import { existsSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { promisify } from "node:util";
import { Command, Option } from "commander";
import { childCaptures, hasEnded, writtenSince } from "../tracker/child-captures.js";
import { DEFAULT_JS_HEAP_INTERVAL } from "../tracker/options.js";
import type { RunSettings } from "../tracker/run-settings.js";
import { CliError } from "./errors.js";
import { howToConnect, livePort } from "./live-port.js";
import { checkTerminal } from "./live-view.js";
import { jsHeapInterval, milliseconds, portNumber } from "./option-values.js";
import { checkOutputFile, typed } from "./paths.js";
import { runWatched } from "./run-watched.js";
import { checkWindowFiles, runInWindows, type WindowSignal, windowSignal } from "./run-windows.js";
import { endLike } from "./signals.js";
import { tell } from "./standard-error.js";
import { type ChildExit, runTracked } from "./tracked-child.js";
import { isComplete, ofChildren, wrote } from "./written-captures.js";

const immediate = promisify(setImmediate);

interface RunOptions {
  readonly output?: string;
  readonly force: boolean;
  readonly quiet: boolean;
  readonly native: boolean;
  readonly embedSymbols: boolean;
  readonly aggregate: boolean;
  readonly traceJsHeap: boolean;
  readonly jsHeapInterval?: number;
  readonly memoryIntervalMs: number;
  readonly bufferedFileIo: boolean;
  readonly compress: boolean;
  readonly live: boolean;
  readonly liveRemote: boolean;
  readonly livePort?: number;
  readonly followFork: boolean;
  readonly startPaused: boolean;
  readonly windowSignal?: WindowSignal;
  readonly nodeArg: string[];
  readonly eval?: string;
}

const EXAMPLES = `
Options before the script are heapray's; everything after it is the script's.

Examples:
  heapray run server.js --port 8080
  heapray run -o server.bin -f server.js
  heapray run --native server.js
  heapray run --aggregate server.js
  heapray run --trace-js-heap server.js
  heapray run --follow-fork build.js
  heapray run --live server.js
  heapray run --live-remote server.js
  heapray run --start-paused server.js
  heapray run --node-arg=--max-old-space-size=4096 --node-arg=--enable-source-maps dist/main.js
  heapray run node_modules/.bin/tsc -p .
  heapray run -e 'globalThis.kept = Buffer.alloc(1e8)'
`;

export function runCommand(): Command {
  return new Command("run")
    .summary("run a script and record its allocations")
    .description("Run a Node.js script and record every allocation it makes, with its call stack, in a capture file.")
    .usage("[options] <script> [args...]")
    .argument("[script]", "the script to run; - reads it from standard input")
    .argument("[args...]", "the script's arguments")
    .option("-o, --output <file>", "the capture to write (default: heapray-<script>.<pid>.bin)")
    .option("-f, --force", "overwrite the capture if it exists", false)
    .option("-q, --quiet", "print nothing of heapray's own", false)
    .option("--native", "record native (C, C++, Rust) frames too", false)
    .option("--embed-symbols", "with --native: keep native frames' names in the capture, to read it elsewhere", false)
    .option("--aggregate", "write sums by location when the program ends instead of every allocation", false)
    .option("--trace-js-heap", "record the objects of the JavaScript heap as well, sampled", false)
    .addOption(
      new Option("--js-heap-interval <bytes>", "bytes from one sampled object to the next (default: 16384)")
        .argParser(jsHeapInterval)
        .implies({ traceJsHeap: true }),
    )
    .option("--memory-interval-ms <n>", "milliseconds between two memory snapshots", milliseconds, 10)
    .option("--buffered-file-io", "write the capture with plain writes instead of a shared mapping", false)
    .option("--follow-fork", "track the Node.js processes that it starts too, each in <capture>.<pid>", false)
    .option("--live", "watch the program's memory in the terminal while it runs, and write no capture", false)
    .option("--live-remote", "wait for a client, and send it the records as they happen instead of writing them", false)
    .option("--live-port <port>", "the port that the client connects to (default: a free one)", portNumber)
    .option("--start-paused", "record nothing until a signal begins a window, and the next one ends it", false)
    .addOption(
      new Option(
        "--window-signal <signal>",
        "the signal that ends and begins windows: SIGUSR2, SIGHUP, SIGALRM or none (default: SIGUSR2, with --start-paused)",
      ).argParser(windowSignal),
    )
    .option("--no-compress", "leave the capture uncompressed when the program has ended")
    .option(
      "--node-arg <flag>",
      "a flag for node itself; repeat it for more",
      (flag, all: string[]) => [...all, flag],
      [],
    )
    .option("-e, --eval <code>", "run this code instead of a script")
    .passThroughOptions()
    .addHelpText("after", EXAMPLES)
    .action(run);
}

async function run(script: string | undefined, scriptArgs: string[], options: RunOptions): Promise<void> {
  const target = options.eval === undefined ? script : undefined;
  if (options.embedSymbols && !options.native) throw new CliError("--embed-symbols names native frames: add --native.");
  if (options.eval === undefined) checkScript(script, options.nodeArg);
  checkLive(options);
  const name = options.eval !== undefined ? "eval" : path.basename(target ?? "node").replace(/^-$/, "stdin");
  const capture = options.output ?? `heapray-${name}.{pid}.bin`;
  const inWindows = options.startPaused || options.windowSignal !== undefined;
  const check = inWindows ? checkWindowFiles : checkOutputFile;
  const file = options.live || options.liveRemote ? "" : check(capture, options.force);

  const args = [
    ...options.nodeArg,
    ...(options.eval === undefined ? [] : ["--eval", options.eval, "--"]),
    ...(script === undefined ? [] : [script]),
    ...scriptArgs,
  ];
  if (inWindows) {
    const { startPaused: paused, windowSignal: signal = "SIGUSR2", quiet, force, compress } = options;
    endLike(await runInWindows(args, settingsOf(options, file), { paused, signal, quiet, force, compress }));
  } else if (options.live) {
    await runWatched(args, { ...settingsOf(options, ""), livePort: await livePort(options.livePort) });
  } else if (options.liveRemote) endLike(await runLive(args, options));
  else await runIntoFile(args, file, options);
}

function settingsOf(options: RunOptions, file: string): Omit<RunSettings, "parent" | "windows"> {
  return {
    file,
    overwrite: options.force,
    nativeTraces: options.native,
    embedSymbols: options.embedSymbols,
    memoryIntervalMs: options.memoryIntervalMs,
    buffered: options.bufferedFileIo,
    aggregate: options.aggregate,
    traceJsHeap: options.traceJsHeap && (options.jsHeapInterval ?? DEFAULT_JS_HEAP_INTERVAL),
    followFork: options.followFork,
  };
}

/** No capture is written, so there is nothing to say at the end. */
async function runLive(args: readonly string[], options: RunOptions): Promise<ChildExit> {
  const port = await livePort(options.livePort);
  if (!options.quiet) tell(howToConnect(port));
  return runTracked(args, { ...settingsOf(options, ""), livePort: port });
}

async function runIntoFile(args: readonly string[], file: string, options: RunOptions): Promise<void> {
  const before = lookAt(file);
  const startTimeMs = Date.now();
  const running = runTracked(args, settingsOf(options, file));
  // Loaded while the program runs, which is waited for anyway.
  const compression = options.compress ? immediate().then(loadCompression) : undefined;
  const exit = await running;
  const capture = file.replaceAll("{pid}", String(exit.pid));
  const children = options.followFork ? childCaptures(capture).filter(writtenSince(startTimeMs)) : [];
  if (compression !== undefined) {
    const { compressCaptures } = await compression;
    const ended = children.filter(({ pid }) => hasEnded(pid)).map(({ file }) => file);
    await compressCaptures(lookAt(capture) === before ? ended : [capture, ...ended], options.quiet);
  }
  if (!options.quiet) {
    await sayWhatNext(capture, before, options.aggregate, children.length);
  }
  endLike(exit);
}

async function loadCompression(): Promise<typeof import("./compression.js")> {
  const compression = await import("./compression.js");
  await compression.warmUp();
  return compression;
}

/**
 * Refuses what does not go together with a client.
 * @throws {CliError}
 */
function checkLive(options: RunOptions): void {
  const { live, liveRemote } = options;
  if (!live && !liveRemote) {
    if (options.livePort !== undefined) throw new CliError("--live-port goes with --live and --live-remote only.");
    return;
  }
  if (live && liveRemote)
    throw new CliError("--live shows what --live-remote leaves to another client: give one of them.");
  if (options.startPaused || options.windowSignal !== undefined) {
    const option = options.startPaused ? "--start-paused" : "--window-signal";
    throw new CliError(
      `${option} does not go with ${live ? "--live" : "--live-remote"}: windows are written into files.`,
    );
  }
  const { output, aggregate, followFork, bufferedFileIo } = options;
  const needsFile = { "--output": output, "--aggregate": aggregate, "--follow-fork": followFork };
  for (const [option, given] of Object.entries({ ...needsFile, "--buffered-file-io": bufferedFileIo })) {
    if (given !== undefined && given !== false) {
      throw new CliError(`${option} does not go with ${live ? "--live" : "--live-remote"}, which writes no file.`);
    }
  }
  if (live) checkTerminal();
}

/**
 * Refuses what node would not find either, before a capture is begun; node's own flags may change what a script is.
 * @throws {CliError}
 */
function checkScript(script: string | undefined, nodeArgs: readonly string[]): void {
  if (nodeArgs.length > 0 || script === "-") return;
  if (script === undefined) throw new CliError('there is no script to run; see "heapray run --help".');
  try {
    createRequire(import.meta.url).resolve(path.resolve(script));
  } catch {
    if (statSync(script, { throwIfNoEntry: false })?.isFile()) return;
    const bin = path.join("node_modules", ".bin", script);
    const hint = !script.includes("/") && existsSync(bin) ? `; did you mean ${bin}?` : ".";
    throw new CliError(`there is no script ${typed(script)}${hint}`);
  }
}

/**
 * @param before what {@link lookAt} told of the capture's file before the run
 * @param children captures of child processes
 */
async function sayWhatNext(capture: string, before: string, aggregated: boolean, children: number): Promise<void> {
  const after = lookAt(capture);
  if (after === "" || after === before) {
    tell(`[heapray] no capture was written${children > 0 ? `, but ${ofChildren(children)}` : ""}.\n`);
    return;
  }
  if (aggregated && !(await isComplete(capture))) {
    tell(
      `[heapray] ${typed(capture)} has no data: the process ended before tracking did; without --aggregate it would have.\n`,
    );
    return;
  }
  tell(`[heapray] ${wrote(capture, children)}`);
}

/** Differs when a file has been written; empty for one that is empty or missing. */
function lookAt(file: string): string {
  const found = statSync(file, { throwIfNoEntry: false });
  return found?.isFile() && found.size > 0 ? `${found.ino} ${found.size} ${found.mtimeMs}` : "";
}
