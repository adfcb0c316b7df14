import type { TreeChange } from "../model/compare.js";
import type { Metric } from "../model/tree.js";
import { type Theme, toHex } from "./palette.js";

/** Steps of growth and of shrinkage; 0 is as good as none. */
export const STEPS = 4;
/** From which change on, as a share of the larger side, a step begins. */
const FROM = [0.01, 0.1, 0.35, 0.7];

/**
 * Red for growth, blue for shrinkage: the pair that the usual kinds of colour blindness tell apart. The stronger the
 * change, the further from the quiet middle, in lightness too.
 */
const RAMP: Record<Theme, { readonly middle: number; readonly end: number; readonly chroma: number }> = {
  light: { middle: 0.905, end: 0.785, chroma: 0.12 },
  dark: { middle: 0.31, end: 0.455, chroma: 0.13 },
};
const RED = 30;
const BLUE = 250;

/** -4 (gone, or nearly) to 4 (new, or nearly): how much of the larger side the change is. */
export function stepOf(before: number, after: number): number {
  const larger = Math.max(before, after);
  if (larger <= 0) return 0;
  const share = Math.abs(after - before) / larger;
  const step = FROM.filter((from) => share >= from).length;
  return after < before && step > 0 ? -step : step;
}

/** The fill of a step. */
export function stepFill(theme: Theme, step: number): string {
  return FILLS[theme][step + STEPS] as string;
}

/** The fill of a node of a differential flame graph. */
export function changeFill(theme: Theme, { before, after }: TreeChange, metric: Metric, node: number): string {
  const column = metric === "bytes" ? "totalBytes" : "totalAllocations";
  return stepFill(theme, stepOf(before[column][node] as number, after[column][node] as number));
}

const FILLS: Record<Theme, readonly string[]> = { light: fills("light"), dark: fills("dark") };

function fills(theme: Theme): string[] {
  const { middle, end, chroma } = RAMP[theme];
  return Array.from({ length: 2 * STEPS + 1 }, (_, i) => {
    const step = i - STEPS;
    const strength = Math.abs(step) / STEPS;
    return toHex({
      l: middle + (end - middle) * strength,
      c: step === 0 ? 0.006 : chroma * (0.2 + 0.8 * strength),
      h: step === 0 ? 80 : step > 0 ? RED : BLUE,
    });
  });
}
