import { SHAPE, type Shape } from "./synthetic-capture.js";

/** For `parseArgs`: one option for each of a shape's numbers, `10k` and `1M` understood. */
export const SHAPE_OPTIONS = {
  records: { type: "string" },
  live: { type: "string" },
  stacks: { type: "string" },
  threads: { type: "string" },
  depth: { type: "string" },
} as const;

/** @throws Error where a value is no positive number */
export function shapeOf(values: Partial<Record<keyof Shape, string>>): Shape {
  const number = (key: keyof Shape): number => {
    const text = values[key];
    if (text === undefined) return SHAPE[key];
    const [, digits, unit = ""] = /^(\d+(?:\.\d+)?)([kM]?)$/.exec(text) ?? [];
    const value = Number(digits) * (unit === "M" ? 1e6 : unit === "k" ? 1e3 : 1);
    if (!(value >= 1)) throw new Error(`--${key} ${text} is no positive number`);
    return Math.round(value);
  };
  return {
    records: number("records"),
    live: number("live"),
    stacks: number("stacks"),
    threads: number("threads"),
    depth: number("depth"),
  };
}

/** Such as `10M records, 10k live, 1M stacks, 4 threads, depth 20`. */
export function nameOfShape({ records, live, stacks, threads, depth }: Shape): string {
  return `${short(records)} records, ${short(live)} live, ${short(stacks)} stacks, ${threads} threads, depth ${depth}`;
}

function short(value: number): string {
  if (value >= 1e6 && value % 1e5 === 0) return `${value / 1e6}M`;
  return value >= 1e3 && value % 100 === 0 ? `${value / 1e3}k` : String(value);
}
