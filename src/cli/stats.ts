import path from "node:path";
import { Command } from "commander";
import { openReader } from "./capture.js";
import { CliError } from "./errors.js";
import { paintFor } from "./paint.js";
import { checkOutputFile, typed } from "./paths.js";
import { print } from "./standard-output.js";
import { writeWholeFile } from "./whole-file.js";
import { countingNumber } from "./whole-number.js";

interface StatsOptions {
  readonly numLargest: number;
  readonly json: boolean;
  readonly output?: string;
  readonly force: boolean;
}

const EXAMPLES = `
Examples:
  heapray stats heapray-server.js.1234.bin
  heapray stats -n 20 server.bin
  heapray stats --json -o stats.json -f server.bin
  heapray stats --json -o - server.bin
`;

/** In place of a file's name. */
const STANDARD_OUTPUT = "-";

export function statsCommand(): Command {
  return new Command("stats")
    .summary("print how much was allocated, in which sizes, and where")
    .description("Print what was allocated in all, freed or not: totals, sizes, allocators, and where.")
    .argument("<capture>", "a capture made by heapray run")
    .option("-n, --num-largest <n>", "how many locations and modules to tell of", countingNumber, 5)
    .option("--json", "write a JSON file with memray's keys instead", false)
    .option(
      "-o, --output <file>",
      'with --json: the file to write, "-" for standard output (default: heapray-stats-<capture>.json beside the capture)',
    )
    .option("-f, --force", "with --json: overwrite the file if it exists", false)
    .addHelpText("after", EXAMPLES)
    .action(stats);
}

async function stats(capture: string, options: StatsOptions): Promise<void> {
  if (!options.json && (options.output !== undefined || options.force)) {
    throw new CliError("the terminal shows the statistics; give --json for a file.");
  }
  const output = options.output ?? statsFileName(capture);
  const toFile = options.json && output !== STANDARD_OUTPUT;
  const outputPath = toFile ? checkOutputFile(output, options.force) : "";
  const { reader, done } = await openReader(capture);
  const { statsJson } = await import("../reporters/stats-json.js");
  const { statsText } = await import("../reporters/stats-text.js");
  let text: string;
  try {
    const statistics = reader.getStatistics({ numLargest: options.numLargest });
    const resident = reader.getResidentMemory();
    text = options.json
      ? statsJson(statistics, reader.metadata, resident)
      : statsText(statistics, reader.metadata, { resident, cwd: process.cwd(), paint: paintFor(process.stdout) });
  } finally {
    done();
  }
  if (!toFile) return print(text);
  writeWholeFile(outputPath, (write) => write(text));
  print(`Wrote ${typed(output)}\n`);
}

/** memray's scheme, in which the capture's whole name stays: `heapray-x.1.bin` becomes `heapray-stats-x.1.bin.json`. */
function statsFileName(capture: string): string {
  const { dir, base } = path.parse(capture);
  return path.join(dir, `heapray-stats-${base.replace(/^heapray-/, "")}.json`);
}
