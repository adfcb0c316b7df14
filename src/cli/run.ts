import { statSync } from "node:fs";
import { promisify } from "node:util";
import { type Command, Option } from "commander";
import { childCaptures, hasEnded, writtenSince } from "../tracker/child-captures.js";
import { DEFAULT_JS_HEAP_INTERVAL } from "../tracker/options.js";
import type { RunSettings } from "../tracker/run-settings.js";
import { CliError } from "./errors.js";
import type { Launch } from "./launch.js";
import { howToConnect, livePort } from "./live-port.js";
import { jsHeapInterval, milliseconds, portNumber } from "./option-values.js";
import { checkOutputFile, typed } from "./paths.js";
import { launchOf, programName } from "./program.js";
import { RunningCommand } from "./program-arguments.js";
import { checkLive, type RunOptions } from "./run-options.js";
import { runWatched } from "./run-watched.js";
import { checkWindowFiles, runInWindows, windowSignal } from "./run-windows.js";
import { endLike } from "./signals.js";
import { tell } from "./standard-error.js";
import { type ChildExit, runTracked } from "./tracked-child.js";
import { isComplete, ofChildren, wrote } from "./written-captures.js";

const immediate = promisify(setImmediate);

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

Python:
  heapray run app.py --port 8080
  heapray run -m http.server 8080
  heapray run -c 'kept = bytearray(100_000_000)'
  heapray run --python .venv/bin/python3 --trace-python-allocators app.py
  heapray run --python-arg=-X --python-arg=utf8 app.py
`;

export function runCommand(): Command {
  return new RunningCommand("run")
    .summary("run a program and record its allocations")
    .description(
      "Run a Node.js or Python program and record every allocation it makes, with its call stack, in a capture file.",
    )
    .usage("[options] <script> [args...]")
    .argument(
      "[script]",
      "the script to run: Python's by its name or first line; - reads Node.js's from standard input",
    )
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
    .option("-e, --eval <code>", "run this code with Node.js instead of a script")
    .option("-m, --module <name>", "run this Python module instead of a script; what follows are its arguments")
    .option("-c, --command <code>", "run this Python code instead of a script; what follows are its arguments")
    .option("--python <file>", "the Python to run on (default: the active environment's, or python3)")
    .option(
      "--python-arg <flag>",
      "a flag for python itself; repeat it for more",
      (flag, all: string[]) => [...all, flag],
      [],
    )
    .option("--trace-python-allocators", "record what Python's own allocator hands out too (pymalloc)", false)
    .passThroughOptions()
    .addHelpText("after", EXAMPLES)
    .action(run);
}

async function run(script: string | undefined, scriptArgs: string[], options: RunOptions): Promise<void> {
  if (options.embedSymbols && !options.native) throw new CliError("--embed-symbols names native frames: add --native.");
  const launch = launchOf(script, scriptArgs, options);
  checkLive(options);
  const capture = options.output ?? `heapray-${programName(script, options)}.{pid}.bin`;
  const inWindows = options.startPaused || options.windowSignal !== undefined;
  const check = inWindows ? checkWindowFiles : checkOutputFile;
  const file = options.live || options.liveRemote ? "" : check(capture, options.force);

  if (inWindows) {
    const { startPaused: paused, windowSignal: signal = "SIGUSR2", quiet, force, compress } = options;
    endLike(await runInWindows(launch, settingsOf(options, file), { paused, signal, quiet, force, compress }));
  } else if (options.live) {
    await runWatched(launch, { ...settingsOf(options, ""), livePort: await livePort(options.livePort) });
  } else if (options.liveRemote) endLike(await runLive(launch, options));
  else await runIntoFile(launch, file, options);
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
async function runLive(launch: Launch, options: RunOptions): Promise<ChildExit> {
  const port = await livePort(options.livePort);
  if (!options.quiet) tell(howToConnect(port));
  return runTracked(launch, { ...settingsOf(options, ""), livePort: port });
}

async function runIntoFile(launch: Launch, file: string, options: RunOptions): Promise<void> {
  const before = lookAt(file);
  const startTimeMs = Date.now();
  const running = runTracked(launch, settingsOf(options, file));
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
