import { Command } from "commander";
import { openCapture } from "./capture.js";
import { checkOutputFile, reportFileName, typed } from "./paths.js";
import { print } from "./standard-output.js";
import { writeWholeFile } from "./whole-file.js";

interface FlameGraphOptions {
  readonly output?: string;
  readonly force: boolean;
  readonly leaks: boolean;
}

const EXAMPLES = `
Examples:
  heapray flamegraph heapray-server.js.1234.bin
  heapray flamegraph --leaks -o leaks.html -f server.bin
`;

export function flamegraphCommand(): Command {
  return new Command("flamegraph")
    .summary("make a flame graph of the peak, as one HTML file")
    .description("Make a flame graph of the memory held at the peak: one HTML file that opens offline.")
    .argument("<capture>", "a capture made by heapray run")
    .option(
      "-o, --output <file>",
      "the HTML file to write (default: heapray-flamegraph-<capture>.html beside the capture)",
    )
    .option("-f, --force", "overwrite the HTML file if it exists", false)
    .option("--leaks", "show what was still held at the end instead of the peak", false)
    .addHelpText("after", EXAMPLES)
    .action(flamegraph);
}

async function flamegraph(capture: string, options: FlameGraphOptions): Promise<void> {
  const output = options.output ?? reportFileName(capture, "flamegraph", ".html");
  const outputPath = checkOutputFile(output, options.force);
  const { reader, records, done } = await openCapture(capture, { leaks: options.leaks, mergeThreads: false });
  const { renderFlameGraph } = await import("../reporters/flamegraph.js");
  try {
    const page = renderFlameGraph({
      records,
      snapshots: reader.getMemorySnapshots(),
      metadata: reader.metadata,
      sourceLine: (file, line) => reader.sourceText.line(file, line),
      kind: options.leaks ? "leaks" : "high-water-mark",
    });
    writeWholeFile(outputPath, (write) => write(page));
  } finally {
    done();
  }
  print(`Wrote ${typed(output)}\n`);
}
