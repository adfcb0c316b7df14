import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { attachCommand } from "./attach.js";
import { detachCommand } from "./detach.js";
import { diffCommand } from "./diff.js";
import { sentenceOf } from "./errors.js";
import { flamegraphCommand } from "./flamegraph.js";
import { liveCommand } from "./live.js";
import { parseCommand } from "./parse.js";
import { runCommand } from "./run.js";
import { tell } from "./standard-error.js";
import { print } from "./standard-output.js";
import { statsCommand } from "./stats.js";
import { summaryCommand } from "./summary.js";
import { tableCommand } from "./table.js";
import { transformCommand } from "./transform.js";
import { treeCommand } from "./tree.js";

const EXAMPLES = `
Examples:
  heapray run server.js                          record a program
  heapray run app.py                             the same of Python's, also with -m and -c
  heapray run --live server.js                   watch its memory in the terminal while it runs
  heapray attach 4712                            the same of a program that is running already
  heapray attach 4712 -o server.bin              record it
  heapray flamegraph heapray-server.js.1234.bin  see what held the memory at its peak
  heapray table heapray-server.js.1234.bin       the same as a table to sort and search
  heapray summary heapray-server.js.1234.bin     the same in one screen of text
  heapray tree heapray-server.js.1234.bin        walk through the calls that led to it
  heapray stats heapray-server.js.1234.bin       how much was allocated in all, and in which sizes
  heapray diff before.bin after.bin              what grew from one run to another

"heapray <command> --help" tells each command's options.
`;

const COMMANDS: ReadonlyMap<string, () => Command> = new Map([
  ["run", runCommand],
  ["attach", attachCommand],
  ["detach", detachCommand],
  ["live", liveCommand],
  ["flamegraph", flamegraphCommand],
  ["table", tableCommand],
  ["transform", transformCommand],
  ["summary", summaryCommand],
  ["tree", treeCommand],
  ["stats", statsCommand],
  ["diff", diffCommand],
  ["parse", parseCommand],
]);

/**
 * The command line. Sets the exit code: 0, 1 for anything wrong, or the tracked program's own.
 * @param argv as `process.argv`
 */
export async function main(argv: readonly string[]): Promise<void> {
  const all = program(argv);
  try {
    await all.parseAsync(argv);
  } catch (error) {
    process.exitCode = report(error, commandOf(all, argv.slice(2)));
  }
}

/** With what `argv` is about: all commands, or the one that it names, since making each of them takes time. */
function program(argv: readonly string[]): Command {
  const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  const all = new Command("heapray")
    .description(
      "A memory profiler for Node.js and Python: where every byte went, native memory included, to the source line.",
    )
    .version(version, "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .helpCommand("help [command]", "print a command's help")
    .enablePositionalOptions()
    .addHelpText("after", EXAMPLES);
  for (const make of commandsFor(argv)) all.addCommand(make().helpOption("-h, --help", "print this help"));
  const settle = (command: Command): void => {
    command.exitOverride().configureOutput({ writeOut: print, writeErr: tell, outputError: () => {} });
    command.commands.forEach(settle);
  };
  settle(all);
  return all;
}

function commandsFor(argv: readonly string[]): readonly (() => Command)[] {
  const named = COMMANDS.get(argv[2] ?? "");
  return named === undefined ? [...COMMANDS.values()] : [named];
}

/** The command that the words begin with, like `heapray transform csv`. */
function commandOf(command: Command, words: readonly string[]): string {
  const next = command.commands.find((one) => one.name() === words[0]);
  return next === undefined ? command.name() : `${command.name()} ${commandOf(next, words.slice(1))}`;
}

/**
 * @param command the command that failed
 * @returns the exit code
 */
function report(error: unknown, command: string): number {
  if (error instanceof CommanderError) {
    // Help and version have been printed; without a command, help went to standard error.
    if (error.exitCode === 0 || error.code === "commander.help") return error.exitCode;
    const sentence = error.message
      .replace(/^error: /, "")
      .replace(/^command-argument value ('.*') is invalid for argument '([^']*)'\. /, "$1 is no $2. ")
      .replaceAll("\n", " ");
    tell(`heapray: ${sentence}; see "${command} --help".\n`.replace(/\.;/, ";"));
    return 1;
  }
  tell(`heapray: ${sentenceOf(error)}\n`);
  // Not the user's to mend, so whoever mends it needs the stack.
  if (process.env.HEAPRAY_DEBUG && error instanceof Error) tell(`${error.stack}\n`);
  return 1;
}
