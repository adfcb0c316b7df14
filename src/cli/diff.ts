import { Command, InvalidArgumentError, Option } from "commander";
import type { FileReader } from "../analysis/file-reader.js";
import type { Growth, GrowthBy } from "../analysis/growth.js";
import type { AllocationRecord } from "../capture/records.js";
import { openReader } from "./capture.js";
import { CliError } from "./errors.js";
import { describeMoment, type Moment, parseMoment } from "./moment.js";
import { paintFor } from "./paint.js";
import { typed } from "./paths.js";
import { print } from "./standard-output.js";
import { countingNumber } from "./whole-number.js";

interface DiffOptions {
  readonly from?: Moment;
  readonly to?: Moment;
  readonly leaks: boolean;
  readonly by: GrowthBy;
  readonly maxRows: number;
  readonly json: boolean;
  readonly failIfGrown?: Limit;
}

/** How much growth is too much: `5%`, or bytes. */
interface Limit {
  readonly text: string;
  readonly bytes: (before: number) => number;
}

const EXAMPLES = `
Examples:
  heapray diff before.bin after.bin
  heapray diff --leaks before.bin after.bin
  heapray diff --from 30s --to 5m server.bin
  heapray diff --by function old.bin new.bin
  heapray diff --fail-if-grown 5% --json old.bin new.bin

A moment is "start", "peak", "end", or the time since the start: 2.5s, 300ms, 1m30s.
`;

export function diffCommand(): Command {
  return new Command("diff")
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
    .option("--fail-if-grown <limit>", "exit with 1 when memory grew by more: 5%, 10MB, 4096", parseLimit)
    .addHelpText("after", EXAMPLES)
    .action(diff);
}

async function diff(before: string, after: string | undefined, options: DiffOptions): Promise<void> {
  const { from, to } = momentsOf(after !== undefined, options);
  const { changeOf, growthOf } = await import("../analysis/growth.js");
  const opened = [await openReader(before)];
  let growth: Growth;
  try {
    const first = opened[0]?.reader as FileReader;
    let sides: Iterable<AllocationRecord>[];
    let second = first;
    if (after === undefined) {
      sides = recordsAt(first, [from, to]);
    } else {
      const other = await openReader(after);
      opened.push(other);
      second = other.reader;
      sides = [...recordsAt(first, [from]), ...recordsAt(second, [to])];
    }
    const [old = [], current = []] = sides;
    growth = growthOf(
      { records: old, cwd: first.metadata.cwd },
      { records: current, cwd: second.metadata.cwd },
      options.by,
    );
  } finally {
    for (const { done } of opened) done();
  }
  const sides = {
    before: `${typed(before)} ${describeMoment(from)}`,
    after: `${typed(after ?? before)} ${describeMoment(to)}`,
    by: options.by,
  };
  const { diffJson, diffText } = await import("../reporters/diff.js");
  print(
    options.json
      ? diffJson(growth, sides)
      : diffText(growth, { ...sides, top: options.maxRows, paint: paintFor(process.stdout) }),
  );
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

/** What was live at each of the moments; at the start, nothing. */
function recordsAt(reader: FileReader, moments: readonly Moment[]): Iterable<AllocationRecord>[] {
  const options = { mergeThreads: false };
  const times = moments.filter((moment) => typeof moment === "number");
  const lasted = reader.metadata.endTimeMs - reader.metadata.startTimeMs;
  const late = times.find((time) => time > lasted);
  if (late !== undefined) {
    throw new CliError(
      `the run lasted ${(lasted / 1000).toFixed(1)} s; there is no moment ${late / 1000} s after its start.`,
    );
  }
  const atTimes = times.length > 0 ? reader.getLiveAllocationRecordsAt(times, options) : [];
  return moments.map((moment) => {
    if (moment === "start") return [];
    if (moment === "peak") return reader.getHighWatermarkAllocationRecords(options);
    if (moment === "end") return reader.getLeakedAllocationRecords(options);
    return atTimes.shift() ?? [];
  });
}
function parseLimit(text: string): Limit {
  const [, number, unit = ""] = /^(\d+(?:\.\d+)?) ?(%|[kMGT]?B?)$/.exec(text) ?? [];
  if (number === undefined) throw new InvalidArgumentError("Give a share or a size: 5%, 10MB, 4096.");
  const value = Number(number);
  if (unit === "%") return { text, bytes: (before) => (before * value) / 100 };
  const factor = 1000 ** ["", "k", "M", "G", "T"].indexOf(unit.replace("B", ""));
  return { text, bytes: () => value * factor };
}
