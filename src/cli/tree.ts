import { Command, InvalidArgumentError } from "commander";
import { openCapture } from "./capture.js";
import { type KindOptions, withKindOptions } from "./kind.js";
import { print } from "./standard-output.js";

interface TreeOptions extends KindOptions {
  readonly biggestAllocs: number;
  readonly json: boolean;
}

const EXAMPLES = `
Examples:
  heapray tree heapray-server.js.1234.bin        walk through the tree; "?" tells the keys
  heapray tree -b 20 server.bin | less           the tree as text
  heapray tree --leaks --json server.bin         for a script
`;

export function treeCommand(): Command {
  const command = new Command("tree")
    .summary("walk through the calls that led to the memory, in the terminal")
    .description("Show the tree of calls that led to the memory held at the peak; as text where there is no terminal.")
    .argument("<capture>", "a capture made by heapray run")
    .option("-b, --biggest-allocs <n>", "how many of the biggest allocations to show", allocationCount, 200);
  return withKindOptions(command, "show")
    .option("--json", "print JSON instead, with every frame", false)
    .addHelpText("after", EXAMPLES)
    .action(tree);
}

async function tree(capture: string, options: TreeOptions): Promise<void> {
  const { reader, records, kind, done } = await openCapture(capture, { ...options, mergeThreads: false });
  const { allocationTree } = await import("../reporters/allocation-tree.js");
  let found: ReturnType<typeof allocationTree>;
  try {
    found = allocationTree(records, options.biggestAllocs);
  } finally {
    done();
  }
  if (options.json) {
    const { treeJson } = await import("../reporters/tree-json.js");
    return printAll(treeJson(found, kind));
  }
  const { treeText } = await import("../reporters/tree-text.js");
  printAll(treeText(found, process.cwd()));
}

function printAll(lines: Iterable<string>): void {
  let text = "";
  for (const line of lines) {
    text += line;
    if (text.length < 65_536) continue;
    print(text);
    text = "";
  }
  print(text);
}

function allocationCount(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("Give a whole number, 1 or more.");
  return value;
}
