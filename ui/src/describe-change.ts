import type { FlameGraphData } from "../../src/reporters/flamegraph-data.js";
import { frameTexts } from "./describe.js";
import type { TreeChange } from "./model/compare.js";
import { formatBytes, formatCount } from "./model/format.js";
import type { CallTree, Metric } from "./model/tree.js";

/** An amount of the metric: `4.768MiB`, `1,024`. */
export function amountOf(metric: Metric, amount: number): string {
  return metric === "bytes" ? formatBytes(amount) : formatCount(amount);
}

/** A change with its sign: `+4.768MiB`; `±0` for none. */
export function signed(metric: Metric, change: number): string {
  if (change === 0) return "±0";
  return `${change > 0 ? "+" : "−"}${amountOf(metric, Math.abs(change))}`;
}

/** By how much of what it was something grew: `+12.5%`; what was not there is new, what is no more is gone. */
export function growthPercent(before: number, after: number): string {
  if (before === after) return "±0%";
  if (before === 0) return "new";
  if (after === 0) return "gone";
  const percent = (Math.abs(after - before) / before) * 100;
  if (percent < 0.05) return "≈0%";
  const text = percent >= 1000 ? formatCount(percent) : percent.toFixed(1);
  return `${after > before ? "+" : "−"}${text}%`;
}

/** By how much a node changed. */
export function changeText(change: TreeChange, metric: Metric, node: number): string {
  const column = metric === "bytes" ? "totalBytes" : "totalAllocations";
  return signed(metric, (change.after[column][node] as number) - (change.before[column][node] as number));
}

/** Says a frame with both its sides, for a screen reader. */
export function spokenChange({ before, after }: TreeChange) {
  return (data: FlameGraphData, tree: CallTree, node: number): string => {
    const texts = frameTexts(data, tree.frame[node] as number);
    const [old, now] = [before.totalBytes[node] as number, after.totalBytes[node] as number];
    const parts = [
      texts.name,
      texts.place,
      `before ${formatBytes(old)}, after ${formatBytes(now)}, ${signed("bytes", now - old)}`,
      `level ${tree.depth[node]}`,
    ];
    return parts.filter((part) => part !== "").join("; ");
  };
}
