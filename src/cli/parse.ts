import { Command } from "commander";
import { CliError } from "./errors.js";
import { checkInputFile, typed } from "./paths.js";
import { printAll } from "./standard-output.js";

const EXAMPLES = `
Examples:
  heapray parse heapray-server.js.1234.bin > records.txt
  heapray parse heapray-server.js.1234.bin | grep MEMORY_SNAPSHOT
`;

export function parseCommand(): Command {
  return new Command("parse")
    .summary("print every record of a capture as text")
    .description(
      "Print every record of a capture as text, definitions included, a line each: to look at the capture itself.\n" +
        "Standard output has to be a file or a pipe, for there are many.",
    )
    .argument("<capture>", "a capture made by heapray run")
    .addHelpText("after", EXAMPLES)
    .action(parse);
}

async function parse(capture: string): Promise<void> {
  checkInputFile(capture);
  if (process.stdout.isTTY) {
    throw new CliError(
      `standard output is a terminal, and a capture has very many records; redirect it to a file or pipe: heapray parse ${typed(capture)} | less.`,
    );
  }
  const { openRecords } = await import("../analysis/capture-records.js");
  const { parsedLines } = await import("../reporters/parse.js");
  const { walk, close } = openRecords(capture);
  try {
    await printAll(parsedLines(walk));
  } finally {
    close();
  }
}
