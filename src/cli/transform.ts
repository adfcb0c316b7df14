import { Command } from "commander";
import { openCapture } from "./capture.js";
import { type KindOptions, withKindOptions } from "./kind.js";
import { checkOutputFile, reportFileName, typed } from "./paths.js";
import { print } from "./standard-output.js";
import { besideFile, TRANSFORM_FORMATS, type TransformFormat } from "./transform-formats.js";
import { writeWholeFile } from "./whole-file.js";

interface TransformOptions extends KindOptions {
  readonly output?: string;
  readonly force: boolean;
}

const EXAMPLES = `
Examples:
  heapray transform csv heapray-server.js.1234.bin
  heapray transform pprof heapray-server.js.1234.bin
  heapray transform speedscope --leaks -o leaks.speedscope.json -f server.bin
`;

export function transformCommand(): Command {
  const command = new Command("transform")
    .summary("turn a capture into another format")
    .description("Turn a capture into another format.")
    .usage("<format> [options] <capture>")
    .helpCommand(false)
    .addHelpText("after", EXAMPLES);
  for (const format of TRANSFORM_FORMATS) command.addCommand(formatCommand(format));
  return command;
}

function formatCommand(format: TransformFormat): Command {
  const { name, suffix, summary, description } = format;
  const command = new Command(name)
    .summary(summary)
    .description(description)
    .argument("<capture>", "a capture made by heapray run")
    .option("-o, --output <file>", `the file to write (default: heapray-${name}-<capture>${suffix} beside the capture)`)
    .option("-f, --force", "overwrite the file if it exists", false)
    .addHelpText("after", examplesOf(format))
    .action((capture: string, options: TransformOptions) => transform(format, capture, options));
  return withKindOptions(command, "write");
}

function examplesOf({ name, suffix, shownBy }: TransformFormat): string {
  const file = `heapray-${name}-server.js.1234${suffix}`;
  return `
Examples:
  heapray transform ${name} heapray-server.js.1234.bin
  heapray transform ${name} --leaks -o leaks${suffix} -f server.bin
${shownBy === undefined ? "" : `\nThe file is shown by:\n  ${shownBy(file)}\n`}`;
}

async function transform(format: TransformFormat, capture: string, options: TransformOptions): Promise<void> {
  const output = options.output ?? reportFileName(capture, format.name, format.suffix);
  const outputPath = checkOutputFile(output, options.force);
  const beside = format.besideSuffix === undefined ? undefined : besideFile(output, format);
  const besidePath = beside === undefined ? undefined : checkOutputFile(beside, options.force);
  const opened = await openCapture(capture, { ...options, ...format.records });
  try {
    const write = await format.load();
    writeWholeFile(outputPath, (piece) =>
      write(opened, piece, (produce) => {
        if (besidePath !== undefined) writeWholeFile(besidePath, produce);
      }),
    );
  } finally {
    opened.done();
  }
  print(`Wrote ${[output, ...(beside === undefined ? [] : [beside])].map((file) => typed(file)).join(" and ")}\n`);
  if (format.shownBy !== undefined) print(`See it with: ${format.shownBy(typed(output))}\n`);
}
