import { Command, InvalidArgumentError } from "commander";
import { openCapture } from "./capture.js";
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
}

const EXAMPLES = `
Examples:
  heapray flamegraph heapray-server.js.1234.bin
  heapray flamegraph --leaks -o leaks.html -f server.bin
  heapray flamegraph --inverted --max-memory-records 1000 server.bin
  heapray flamegraph --confidential-files all -o for-others.html server.bin
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
    .option("--max-memory-records <n>", "most points of the memory chart (default: 4000)", recordCount)
    .addHelpText("after", EXAMPLES)
    .action(flamegraph);
  return withConfidentialOption(withKindOptions(command, "show"));
}

async function flamegraph(capture: string, options: FlameGraphOptions): Promise<void> {
  const output = options.output ?? reportFileName(capture, "flamegraph", ".html");
  const outputPath = checkOutputFile(output, options.force);
  const { reader, records, kind, done } = await openCapture(capture, { ...options, mergeThreads: false });
  const { renderFlameGraph } = await import("../reporters/flamegraph.js");
  const { disclosureOf } = await import("../reporters/confidential-files.js");
  try {
    const page = renderFlameGraph({
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
    writeWholeFile(outputPath, (write) => write(page));
  } finally {
    done();
  }
  print(`Wrote ${typed(output)}\n`);
}

/** Fewer than three could not keep both peaks. */
function recordCount(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 3) throw new InvalidArgumentError("Give a whole number, 3 or more.");
  return value;
}
