import { Command, Option } from "commander";
import type { FileReader } from "../analysis/file-reader.js";
import type { Growth } from "../analysis/growth.js";
import type { Moment } from "../analysis/records-at.js";
import { openReader } from "./capture.js";
import { withConfidentialOption } from "./confidential.js";
import { type DiffPageOptions, graphOf, pageOf } from "./diff-page.js";
import { CliError } from "./errors.js";
import { type GrowthLimit, parseGrowthLimit } from "./growth-limit.js";
import { describeMoment, parseMoment } from "./moment.js";
import { paintFor } from "./paint.js";
import { typed } from "./paths.js";
import { tell } from "./standard-error.js";
import { print } from "./standard-output.js";
import { writeWholeFile } from "./whole-file.js";
import { countingNumber } from "./whole-number.js";

interface DiffOptions extends DiffPageOptions {
  readonly from?: Moment;
  readonly to?: Moment;
  readonly maxRows: number;
  readonly json: boolean;
  readonly failIfGrown?: GrowthLimit;
}

const EXAMPLES = `
Examples:
  heapray diff before.bin after.bin
  heapray diff --leaks before.bin after.bin
  heapray diff --from 30s --to 5m server.bin
  heapray diff --by function old.bin new.bin
  heapray diff --fail-if-grown 5% --json old.bin new.bin
  heapray diff --flamegraph -o growth.html -f old.bin new.bin

A moment is "start", "peak", "end", or the time since the start: 2.5s, 300ms, 1m30s.
`;

export function diffCommand(): Command {
  const command = new Command("diff")
    .summary("print what grew and shrank between two captures, or two moments of one")
    .description(
      "Print what grew and what shrank: from one capture to another, or from one moment of a capture to a later one.",
    )
    .argument("<before>", "a capture made by heapray run")
    .argument("[after]", "another one; without it, two moments of the first are compared")
    .option("--from <moment>", "the moment of the first side (default: peak; of a single capture, start)", parseMoment)
    .option("--to <moment>", "the moment of the second side (default: peak; of a single capture, end)", parseMoment)
    .option("--leaks", "of two captures, what was still held at the end instead of the peak", false)
    .addOption(
      new Option("--by <what>", "what to tell apart; functions stay when the lines of a new version move")
        .choices(["line", "function", "file"])
        .default("line"),
    )
    .option("-r, --max-rows <n>", "how many to print of what grew, and of what shrank", countingNumber, 10)
    .option("--json", "print JSON, with every place that changed", false)
    .option("--fail-if-grown <limit>", "exit with 1 when memory grew by more: 5%, 10MB, 4096", parseGrowthLimit)
    .option("--flamegraph", "make a differential flame graph, as one HTML file, instead of printing", false)
    .option(
      "-o, --output <file>",
      "the HTML file to write (default: heapray-diff-<before>-<after>.html beside the second capture)",
    )
    .option("-f, --force", "overwrite the HTML file if it exists", false)
    .addHelpText("after", EXAMPLES)
    .action(diff);
  return withConfidentialOption(command);
}

async function diff(before: string, after: string | undefined, options: DiffOptions): Promise<void> {
  const { from, to } = momentsOf(after !== undefined, options);
  const page = pageOf(before, after, options);
  const { changeOf, growthOf } = await import("../analysis/growth.js");
  const { recordsAt } = await import("../analysis/records-at.js");
  const opened = [await openReader(before)];
  const whats = {
    before: `${typed(before)} ${describeMoment(from)}`,
    after: `${typed(after ?? before)} ${describeMoment(to)}`,
  };
  let growth: Growth;
  try {
    const first = opened[0]?.reader as FileReader;
    let second = first;
    if (after !== undefined) {
      const other = await openReader(after);
      opened.push(other);
      second = other.reader;
    }
    checkWithin(first, from);
    checkWithin(second, to);
    const [old = [], current = []] =
      second === first ? recordsAt(first, [from, to]) : [...recordsAt(first, [from]), ...recordsAt(second, [to])];
    const graph = page && (await graphOf(first, second, whats, options));
    growth = growthOf(
      { records: graph?.adding("before", old) ?? old, cwd: first.metadata.cwd },
      { records: graph?.adding("after", current) ?? current, cwd: second.metadata.cwd },
      options.by,
    );
    if (page && graph) {
      const { renderDiffGraph } = await import("../reporters/flamegraph-diff.js");
      // Of two runs, neither's curve would be the graph's.
      const html = renderDiffGraph(
        graph.finish(after === undefined ? first.getMemorySnapshots() : []),
        second.metadata,
      );
      writeWholeFile(page.path, (write) => write(html));
    }
  } finally {
    for (const { done } of opened) done();
  }
  const wrote = page && `Wrote ${typed(page.name)}\n`;
  if (wrote !== undefined && !options.json) {
    print(wrote);
  } else {
    const sides = { ...whats, by: options.by };
    const { diffJson, diffText } = await import("../reporters/diff.js");
    print(
      options.json
        ? diffJson(growth, sides)
        : diffText(growth, { ...sides, top: options.maxRows, paint: paintFor(process.stdout) }),
    );
    // Standard output is JSON.
    if (wrote !== undefined) tell(wrote);
  }
  const limit = options.failIfGrown;
  if (limit !== undefined && changeOf(growth) > limit.bytes(growth.before.bytes)) {
    const { formatSize } = await import("../reporters/figures.js");
    throw new CliError(`memory grew by ${formatSize(changeOf(growth))}, more than the ${limit.text} allowed.`);
  }
}

/** @throws {CliError} the options contradict each other */
function momentsOf(two: boolean, { from, to, leaks }: DiffOptions): { from: Moment; to: Moment } {
  if (leaks && (from !== undefined || to !== undefined)) {
    throw new CliError("--leaks compares the ends, so it takes no --from and no --to.");
  }
  if (leaks && !two) throw new CliError("--leaks compares the ends of two captures; give a second one.");
  if (leaks) return { from: "end", to: "end" };
  const moments = two ? { from: from ?? "peak", to: to ?? "peak" } : { from: from ?? "start", to: to ?? "end" };
  if (!two && moments.from === moments.to) throw new CliError("--from and --to are the same moment; give another one.");
  if (!two && typeof moments.from === "number" && typeof moments.to === "number" && moments.from > moments.to) {
    throw new CliError("--from is after --to; give the earlier moment first.");
  }
  return moments;
}

/** @throws {CliError} the run had ended before */
function checkWithin({ metadata }: FileReader, moment: Moment): void {
  const lasted = metadata.endTimeMs - metadata.startTimeMs;
  if (typeof moment !== "number" || moment <= lasted) return;
  throw new CliError(
    `the run lasted ${(lasted / 1000).toFixed(1)} s; there is no moment ${moment / 1000} s after its start.`,
  );
}
