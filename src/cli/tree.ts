import path from "node:path";
import { Command } from "commander";
import type { RecordsKind } from "../analysis/capture-reader.js";
import { openCapture } from "./capture.js";
import { type KindOptions, withKindOptions } from "./kind.js";
import { endLike } from "./signals.js";
import { print } from "./standard-output.js";
import { countingNumber } from "./whole-number.js";

interface TreeOptions extends KindOptions {
  readonly biggestAllocs: number;
  readonly json: boolean;
}

const WHAT: Readonly<Record<RecordsKind, string>> = {
  "high-water-mark": "held at the peak",
  leaks: "still held at the end",
  temporary: "temporary allocations",
};

const EXAMPLES = `
Examples:
  heapray tree heapray-server.js.1234.bin
  heapray tree -b 20 --leaks server.bin
  heapray tree --json server.bin
`;

export function treeCommand(): Command {
  const command = new Command("tree")
    .summary("walk through the calls that led to the memory, in the terminal")
    .description("Show the tree of calls that led to the memory held at the peak; as text where there is no terminal.")
    .argument("<capture>", "a capture made by heapray run")
    .option("-b, --biggest-allocs <n>", "how many of the biggest allocations to show", countingNumber, 200);
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
  if (isInteractive()) {
    const { walkTree } = await import("../terminal/tree-app.js");
    const interrupted = await walkTree(found, {
      title: `heapray tree  ${path.basename(capture)}  ${WHAT[kind]}`,
      cwd: process.cwd(),
      sourceLine: (file, line) => reader.sourceText.line(file, line),
      colors: !process.env.NO_COLOR,
    });
    if (interrupted) endLike({ code: null, signal: "SIGINT" });
    return;
  }
  const { treeText } = await import("../reporters/tree-text.js");
  printAll(treeText(found, process.cwd()));
}

/** Whether there is a terminal to draw on, and one to get keys from. */
function isInteractive(): boolean {
  return process.stdout.isTTY === true && process.stdin.isTTY === true && process.env.TERM !== "dumb";
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
