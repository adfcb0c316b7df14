import { type Command, InvalidArgumentError, Option } from "commander";
import type { RecordsKind } from "../analysis/capture-reader.js";

/** Which of a capture's allocations a report shows, as the command line has it. */
export interface KindOptions {
  readonly leaks: boolean;
  readonly temporaryAllocations?: boolean;
  readonly temporaryAllocationThreshold?: number;
}

/** `--temporary-allocations` stands for this threshold. */
const DEFAULT_THRESHOLD = 1;

/**
 * Adds memray's options that choose what is shown instead of the peak. They exclude each other.
 * @param verb what the report does: `show`, `write`
 */
export function withKindOptions(command: Command, verb: string): Command {
  return command
    .option("--leaks", `${verb} what was still held at the end instead of the peak`, false)
    .addOption(
      new Option("--temporary-allocations", "the same as --temporary-allocation-threshold=1").conflicts("leaks"),
    )
    .addOption(
      new Option(
        "--temporary-allocation-threshold <n>",
        `${verb} temporary allocations instead of the peak: freed before their thread made more than <n> others`,
      )
        .argParser(threshold)
        .conflicts(["leaks", "temporaryAllocations"]),
    );
}

/** What the options ask for, and of temporary allocations the threshold. */
export function kindOf(options: KindOptions): { kind: RecordsKind; threshold: number } {
  const { leaks, temporaryAllocations, temporaryAllocationThreshold: given } = options;
  if (leaks) return { kind: "leaks", threshold: DEFAULT_THRESHOLD };
  const isTemporary = temporaryAllocations === true || given !== undefined;
  return { kind: isTemporary ? "temporary" : "high-water-mark", threshold: given ?? DEFAULT_THRESHOLD };
}

function threshold(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isSafeInteger(value) || value < 0) {
    throw new InvalidArgumentError("Give a whole number, 0 or more.");
  }
  return value;
}
