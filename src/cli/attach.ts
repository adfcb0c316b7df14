import { Command, Option } from "commander";
import { attachLive } from "./attach-live.js";
import type { AttachOptions } from "./attach-options.js";
import { attachRecording } from "./attach-recording.js";
import { CliError } from "./errors.js";
import { jsHeapInterval, milliseconds, portNumber, processId, seconds } from "./option-values.js";

const EXAMPLES = `
Examples:
  heapray attach 4712                                a live view in the terminal
  heapray attach 4712 --web                          a live page for the browser
  heapray attach 4712 -o server.bin                  a capture, until Ctrl-C
  heapray attach 4712 -o server.bin --duration 60
  heapray attach 4712 -o server.bin -f --aggregate
  heapray attach "$(pgrep -f server.js)" --trace-js-heap
  heapray attach "$(pgrep -f app.py)" --trace-python-allocators
`;

export function attachCommand(): Command {
  return new Command("attach")
    .summary("track a program that is already running")
    .description(
      "Track a process of Node.js or Python 3.14 that is already running, until Ctrl-C, heapray detach or its end: no restart, no debugger.",
    )
    .argument("<pid>", "the process's id", processId)
    .option("-o, --output <file>", "record into this capture, instead of showing a live view")
    .option(
      "--web",
      "serve the live view as a page for the browser, to this machine alone, and print its address",
      false,
    )
    .addOption(
      new Option("--web-port <port>", "the port to serve the page on (default: a free one)")
        .argParser(portNumber)
        .implies({ web: true }),
    )
    .addOption(new Option("--open", "open the page in the browser").implies({ web: true }))
    .option("-f, --force", "overwrite the capture if it exists", false)
    .option("-q, --quiet", "print nothing of heapray's own", false)
    .option("--duration <seconds>", "end tracking after this time", seconds)
    .option("--native", "record native (C, C++, Rust) frames too", false)
    .option("--aggregate", "write sums by location when tracking ends instead of every allocation", false)
    .option("--trace-js-heap", "record the objects of the JavaScript heap as well, sampled", false)
    .addOption(
      new Option("--js-heap-interval <bytes>", "bytes from one sampled object to the next (default: 16384)")
        .argParser(jsHeapInterval)
        .implies({ traceJsHeap: true }),
    )
    .option("--trace-python-allocators", "record what Python's own allocator hands out too (pymalloc)", false)
    .option("--memory-interval-ms <n>", "milliseconds between two memory snapshots", milliseconds, 10)
    .option("--follow-fork", "track the Node.js processes that it starts too, each in <capture>.<pid>", false)
    .option("--no-compress", "leave the capture uncompressed when tracking has ended")
    .addHelpText("after", EXAMPLES)
    .action(attach);
}

async function attach(pid: number, options: AttachOptions): Promise<void> {
  if (options.output !== undefined) {
    if (options.web) throw new CliError("--web is for the live view: leave -o out.");
    return attachRecording(pid, options.output, options);
  }
  checkLive(options);
  await attachLive(pid, options);
}

/** @throws {CliError} */
function checkLive({ aggregate, followFork, force, compress }: AttachOptions): void {
  const needFile = {
    "--aggregate": aggregate,
    "--follow-fork": followFork,
    "--force": force,
    "--no-compress": !compress,
  };
  for (const [option, given] of Object.entries(needFile)) {
    if (given) throw new CliError(`${option} is for captures: give one to write with -o.`);
  }
}
