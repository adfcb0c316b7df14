import type { FlameGraphData, WeightTable } from "../../../src/reporters/flamegraph-data.js";

/** What widths of a differential flame graph stand for: one side, or what changed, growth and shrinkage added up. */
export type Width = "before" | "after" | "change";

export type Amounts = Pick<WeightTable, "bytes" | "allocations">;

/** The weights' amounts on one side; their change is that of after to before, negative where they shrank. */
export function sideOf(data: FlameGraphData, width: Width = "after"): Amounts {
  const { weights, comparison } = data;
  if (!comparison || width === "after") return weights;
  if (width === "before") return comparison;
  const change = (after: Float64Array, before: Float64Array): Float64Array =>
    after.map((amount, i) => amount - (before[i] as number));
  return {
    bytes: change(weights.bytes, comparison.bytes),
    allocations: change(weights.allocations, comparison.allocations),
  };
}
