import { Command } from "commander";
import { openCapture } from "./capture.js";
import { type KindOptions, withKindOptions } from "./kind.js";
import { print } from "./standard-output.js";
import { countingNumber } from "./whole-number.js";

interface SummaryOptions extends KindOptions {
  readonly maxRows: number;
}

const EXAMPLES = `
Examples:
  heapray summary heapray-server.js.1234.bin
  heapray summary --max-rows 20 --leaks server.bin
  heapray summary --temporary-allocations server.bin
`;

export function summaryCommand(): Command {
  const command = new Command("summary")
    .summary("print the lines that held most, in one screen of text")
    .description("Print the peak, and the lines of the program that held most of it.")
    .argument("<capture>", "a capture made by heapray run")
    .option("-r, --max-rows <n>", "how many lines to print", countingNumber, 5)
    .addHelpText("after", EXAMPLES)
    .action(summary);
  return withKindOptions(command, "show");
}

async function summary(capture: string, options: SummaryOptions): Promise<void> {
  const { reader, records, kind, done } = await openCapture(capture, { ...options, mergeThreads: false });
  const { renderSummary, summarize } = await import("../reporters/summary.js");
  let text: string;
  try {
    text = renderSummary(summarize({ records, metadata: reader.metadata, kind, top: options.maxRows }), process.cwd());
  } finally {
    done();
  }
  print(text);
}
