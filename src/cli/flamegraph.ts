import { Command, InvalidArgumentError, Option } from "commander";
import { openCapture, openReader, snapshotsFor } from "./capture.js";
import { type ConfidentialOptions, withConfidentialOption } from "./confidential.js";
import { type KindOptions, withKindOptions } from "./kind.js";
import { checkOutputFile, reportFileName, typed } from "./paths.js";
import { print } from "./standard-output.js";
import { writeWholeFile } from "./whole-file.js";

interface FlameGraphOptions extends KindOptions, ConfidentialOptions {
  readonly output?: string;
  readonly force: boolean;
  readonly splitThreads: boolean;
  readonly inverted: boolean;
  readonly maxMemoryRecords?: number;
  readonly temporal?: boolean;
}

const EXAMPLES = `
Examples:
  heapray flamegraph heapray-server.js.1234.bin
  heapray flamegraph --leaks -o leaks.html -f server.bin
  heapray flamegraph --inverted --max-memory-records 1000 server.bin
  heapray flamegraph --confidential-files all -o for-others.html server.bin
  heapray flamegraph --temporal server.bin
  heapray flamegraph --temporal --leaks -o leaks-over-time.html server.bin
  heapray flamegraph --temporary-allocations --split-threads server.bin
`;

export function flamegraphCommand(): Command {
  const command = new Command("flamegraph")
    .summary("make a flame graph of the peak, as one HTML file")
    .description("Make a flame graph of the memory held at the peak: one HTML file that opens offline.")
    .argument("<capture>", "a capture made by heapray run")
    .option(
      "-o, --output <file>",
      "the HTML file to write (default: heapray-flamegraph-<capture>.html beside the capture)",
    )
    .option("-f, --force", "overwrite the HTML file if it exists", false)
    .option("--split-threads", "show what each thread allocated apart, below a frame of its own", false)
    .option("--inverted", "invert the graph: frames that allocate at the root, their callers below", false)
    .addOption(
      new Option(
        "--temporal",
        "show any range of time that is chosen in the page: its high-water mark, or its leaks",
      ).conflicts(["temporaryAllocations", "temporaryAllocationThreshold"]),
    )
    .option(
      "--max-memory-records <n>",
      "most points of the memory chart (default: 4000); with --temporal, also most steps of a range's ends (default: 2000)",
      recordCount,
    )
    .addHelpText("after", EXAMPLES)
    .action(flamegraph);
  return withConfidentialOption(withKindOptions(command, "show"));
}

async function flamegraph(capture: string, options: FlameGraphOptions): Promise<void> {
  const output = options.output ?? reportFileName(capture, "flamegraph", ".html");
  const outputPath = checkOutputFile(output, options.force);
  const page = options.temporal ? await temporalPage(capture, options) : await momentPage(capture, options);
  writeWholeFile(outputPath, (write) => write(page));
  print(`Wrote ${typed(output)}\n`);
}

/** What was held at one moment, or what was temporary. */
async function momentPage(capture: string, options: FlameGraphOptions): Promise<string> {
  const { reader, records, kind, done } = await openCapture(capture, { ...options, mergeThreads: false });
  const { renderFlameGraph } = await import("../reporters/flamegraph.js");
  const { disclosureOf } = await import("../reporters/confidential-files.js");
  try {
    return renderFlameGraph({
      records,
      snapshots: reader.getMemorySnapshots(),
      metadata: reader.metadata,
      sourceLine: (file, line) => reader.sourceText.line(file, line),
      kind,
      disclosure: disclosureOf(options.confidentialFiles, reader.metadata),
      splitThreads: options.splitThreads,
      inverted: options.inverted,
      ...(options.maxMemoryRecords === undefined ? {} : { maxSnapshots: options.maxMemoryRecords }),
    });
  } finally {
    done();
  }
}

/** What ranges of time held. */
async function temporalPage(capture: string, options: FlameGraphOptions): Promise<string> {
  const { maxMemoryRecords: most } = options;
  const { reader, done } = await openReader(capture, snapshotsFor(most));
  try {
    const { renderTemporalFlameGraph } = await import("../reporters/temporal-flamegraph.js");
    const { disclosureOf } = await import("../reporters/confidential-files.js");
    return renderTemporalFlameGraph({
      highWaterMarks: () => reader.getTemporalHighWaterMarkAllocationRecords({ mergeThreads: false }),
      leaks: () => reader.getTemporalAllocationRecords({ mergeThreads: false }),
      snapshots: () => reader.getMemorySnapshots(),
      metadata: reader.metadata,
      sourceLine: (file, line) => reader.sourceText.line(file, line),
      kind: options.leaks ? "leaks" : "high-water-mark",
      disclosure: disclosureOf(options.confidentialFiles, reader.metadata),
      splitThreads: options.splitThreads,
      inverted: options.inverted,
      ...(most === undefined ? {} : { maxSnapshots: most, maxIntervals: most }),
    });
  } finally {
    done();
  }
}

/** Fewer than three could not keep both peaks. */
function recordCount(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 3) throw new InvalidArgumentError("Give a whole number, 3 or more.");
  return value;
}
