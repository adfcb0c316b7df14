import { InvalidArgumentError } from "commander";

/** How much growth is too much: `5%`, or bytes. */
export interface GrowthLimit {
  readonly text: string;
  readonly bytes: (before: number) => number;
}

/**
 * `5%`, `10MB` (units of 1000), `4096`.
 * @throws {InvalidArgumentError} it is none of these
 */
export function parseGrowthLimit(text: string): GrowthLimit {
  const [, number, unit = ""] = /^(\d+(?:\.\d+)?) ?(%|[kMGT]?B?)$/.exec(text) ?? [];
  if (number === undefined) throw new InvalidArgumentError("Give a share or a size: 5%, 10MB, 4096.");
  const value = Number(number);
  if (unit === "%") return { text, bytes: (before) => (before * value) / 100 };
  const factor = 1000 ** ["", "k", "M", "G", "T"].indexOf(unit.replace("B", ""));
  return { text, bytes: () => value * factor };
}
