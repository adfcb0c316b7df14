import type { FlameGraphData } from "../../src/reporters/flamegraph-data.js";
import type { Fact } from "./components/header.js";
import { growthPercent, signed } from "./describe-change.js";
import { formatBytes, formatCount } from "./model/format.js";
import { visible } from "./model/names.js";

/** What a differential flame graph compares, and both sides' figures; undefined for other graphs. */
export function changeFacts(data: FlameGraphData): { subject: string; facts: Fact[] } | undefined {
  const { comparison, weights, metadata } = data;
  if (!comparison) return undefined;
  const sum = (column: Float64Array): number => column.reduce((all, amount) => all + amount, 0);
  const [before, after] = [sum(comparison.bytes), sum(weights.bytes)];
  const [made, makes] = [sum(comparison.allocations), sum(weights.allocations)];
  const bytes = (amount: number, what: string): string => `${formatCount(amount)} bytes held by ${visible(what)}`;
  return {
    subject: `${visible(comparison.after)}, compared with ${visible(comparison.before)}`,
    facts: [
      ["Before", formatBytes(before), bytes(before, comparison.before)],
      ["After", formatBytes(after), bytes(after, comparison.after)],
      ["Change", `${signed("bytes", after - before)} (${growthPercent(before, after)})`],
      ["Allocations", signed("allocations", makes - made), `${formatCount(made)} before, ${formatCount(makes)} after`],
      ["Runtime", visible(`${metadata.runtime.name} ${metadata.runtime.version}`), "of the program after"],
    ],
  };
}
