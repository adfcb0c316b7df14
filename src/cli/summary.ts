import { Command, InvalidArgumentError } from "commander";
import { openCapture } from "./capture.js";
import { print } from "./standard-output.js";

interface SummaryOptions {
  readonly maxRows: number;
  readonly leaks: boolean;
}

const EXAMPLES = `
Examples:
  heapray summary heapray-server.js.1234.bin
  heapray summary --max-rows 20 --leaks server.bin
`;

export function summaryCommand(): Command {
  return new Command("summary")
    .summary("print the lines that held most, in one screen of text")
    .description("Print the peak, and the lines of the program that held most of it.")
    .argument("<capture>", "a capture made by heapray run")
    .option("-r, --max-rows <n>", "how many lines to print", rowCount, 5)
    .option("--leaks", "show what was still held at the end instead of the peak", false)
    .addHelpText("after", EXAMPLES)
    .action(summary);
}

async function summary(capture: string, options: SummaryOptions): Promise<void> {
  const { reader, records, done } = await openCapture(capture, { leaks: options.leaks, mergeThreads: false });
  const { renderSummary, summarize } = await import("../reporters/summary.js");
  let text: string;
  try {
    const kind = options.leaks ? "leaks" : "high-water-mark";
    text = renderSummary(summarize({ records, metadata: reader.metadata, kind, top: options.maxRows }), process.cwd());
  } finally {
    done();
  }
  print(text);
}

function rowCount(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("Give a whole number, 1 or more.");
  return value;
}
