import { Command } from "commander";
import { openCapture } from "./capture.js";
import { type ConfidentialOptions, withConfidentialOption } from "./confidential.js";
import { type KindOptions, withKindOptions } from "./kind.js";
import { checkOutputFile, reportFileName, typed } from "./paths.js";
import { print } from "./standard-output.js";
import { writeWholeFile } from "./whole-file.js";

interface TableOptions extends KindOptions, ConfidentialOptions {
  readonly output?: string;
  readonly force: boolean;
  readonly splitThreads: boolean;
}

const EXAMPLES = `
Examples:
  heapray table heapray-server.js.1234.bin
  heapray table --leaks -o leaks.html -f server.bin
  heapray table --temporary-allocations --split-threads server.bin
  heapray table --confidential-files all -o for-others.html server.bin
`;

export function tableCommand(): Command {
  const command = new Command("table")
    .summary("make a table to sort and search, as one HTML file")
    .description(
      "Make a table of the memory held at the peak, a row for each line and allocator: one HTML file that opens offline.",
    )
    .argument("<capture>", "a capture made by heapray run")
    .option("-o, --output <file>", "the HTML file to write (default: heapray-table-<capture>.html beside the capture)")
    .option("-f, --force", "overwrite the HTML file if it exists", false)
    .option("--split-threads", "show a row for each thread instead of one for all of them", false)
    .addHelpText("after", EXAMPLES)
    .action(table);
  return withConfidentialOption(withKindOptions(command, "show"));
}

async function table(capture: string, options: TableOptions): Promise<void> {
  const output = options.output ?? reportFileName(capture, "table", ".html");
  const outputPath = checkOutputFile(output, options.force);
  const { reader, records, kind, done } = await openCapture(capture, { ...options, mergeThreads: false });
  const { renderTable } = await import("../reporters/table.js");
  const { disclosureOf } = await import("../reporters/confidential-files.js");
  try {
    const page = renderTable({
      records,
      metadata: reader.metadata,
      kind,
      disclosure: disclosureOf(options.confidentialFiles, reader.metadata),
      splitThreads: options.splitThreads,
      sourceLine: (file, line) => reader.sourceText.line(file, line),
    });
    writeWholeFile(outputPath, (write) => write(page));
  } finally {
    done();
  }
  print(`Wrote ${typed(output)}\n`);
}
