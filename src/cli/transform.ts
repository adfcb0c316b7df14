import { Command } from "commander";
import { openCapture } from "./capture.js";
import { type KindOptions, withKindOptions } from "./kind.js";
import { checkOutputFile, reportFileName, typed } from "./paths.js";
import { print } from "./standard-output.js";
import { writeWholeFile } from "./whole-file.js";

interface TransformOptions extends KindOptions {
  readonly output?: string;
  readonly force: boolean;
}

const EXAMPLES = `
Examples:
  heapray transform csv heapray-server.js.1234.bin
  heapray transform csv --leaks -o leaks.csv -f server.bin
`;

export function transformCommand(): Command {
  return new Command("transform")
    .summary("turn a capture into another format")
    .description("Turn a capture into another format.")
    .helpCommand(false)
    .addCommand(csvCommand())
    .addHelpText("after", EXAMPLES);
}

function csvCommand(): Command {
  const command = new Command("csv")
    .summary("a table of allocations, as memray writes it")
    .description(
      "Write what was held at the peak as a CSV table with memray's columns:\n" +
        "allocator,num_allocations,size,tid,thread_name,stack_trace",
    )
    .argument("<capture>", "a capture made by heapray run")
    .option("-o, --output <file>", "the CSV file to write (default: heapray-csv-<capture>.csv beside the capture)")
    .option("-f, --force", "overwrite the CSV file if it exists", false)
    .addHelpText("after", EXAMPLES)
    .action(transformToCsv);
  return withKindOptions(command, "write");
}

async function transformToCsv(capture: string, options: TransformOptions): Promise<void> {
  const output = options.output ?? reportFileName(capture, "csv", ".csv");
  const outputPath = checkOutputFile(output, options.force);
  const { records, done } = await openCapture(capture, options);
  const { writeCsv } = await import("../reporters/csv.js");
  try {
    writeWholeFile(outputPath, (write) => writeCsv(records, write));
  } finally {
    done();
  }
  print(`Wrote ${typed(output)}\n`);
}
