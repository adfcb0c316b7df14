import { Command, InvalidArgumentError } from "commander";
import type { SummarySort } from "../reporters/summary.js";
import { openCapture } from "./capture.js";
import { type KindOptions, withKindOptions } from "./kind.js";
import { print } from "./standard-output.js";
import { countingNumber } from "./whole-number.js";

interface SummaryOptions extends KindOptions {
  readonly maxRows?: number;
  readonly sortColumn: SummarySort;
  readonly json: boolean;
}

/** Lines of a screen of text. */
const USUAL_ROWS = 5;
/** memray's numbers of the columns; the shares are in the order of what they are shares of. */
const COLUMNS: readonly SummarySort[] = ["total", "total", "own", "own", "allocations"];

const EXAMPLES = `
Examples:
  heapray summary heapray-server.js.1234.bin
  heapray summary --max-rows 20 --leaks server.bin
  heapray summary --sort-column total --temporary-allocations server.bin
  heapray summary --json server.bin
`;

export function summaryCommand(): Command {
  const command = new Command("summary")
    .summary("print the lines that held most, in one screen of text")
    .description("Print the peak, and the lines of the program that held most of it.")
    .argument("<capture>", "a capture made by heapray run")
    .option("-r, --max-rows <n>", `how many lines to print (default: ${USUAL_ROWS}; with --json, all)`, countingNumber)
    .option(
      "-s, --sort-column <column>",
      "what the lines are in order of: total, own or allocations, or the column's number",
      sortColumn,
      "own",
    )
    .option("--json", "print JSON", false)
    .addHelpText("after", EXAMPLES)
    .action(summary);
  return withKindOptions(command, "show");
}

async function summary(capture: string, options: SummaryOptions): Promise<void> {
  const { reader, records, kind, done } = await openCapture(capture, { ...options, mergeThreads: false });
  const { renderSummary, summarize, summaryJson } = await import("../reporters/summary.js");
  let text: string;
  try {
    const { json, sortColumn: sort, maxRows: top = json ? Number.POSITIVE_INFINITY : USUAL_ROWS } = options;
    const found = summarize({ records, metadata: reader.metadata, kind, top, sort });
    text = json ? summaryJson(found) : renderSummary(found, process.cwd());
  } finally {
    done();
  }
  print(text);
}

function sortColumn(text: string): SummarySort {
  const column = COLUMNS.find((name) => name === text) ?? COLUMNS[Number(text) - 1];
  if (column === undefined) {
    throw new InvalidArgumentError("Give total, own or allocations, or a number from 1 to 5.");
  }
  return column;
}
