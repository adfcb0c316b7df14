import { InvalidArgumentError } from "commander";
import type { Moment } from "../analysis/records-at.js";

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const DURATION = /^(?:\d+(?:\.\d+)?(?:ms|[smh]))+$/;

/**
 * `start`, `peak`, `end`, or the time since the start: `2.5` (seconds), `300ms`, `1m30s`.
 * @throws {InvalidArgumentError} it is none of these
 */
export function parseMoment(text: string): Moment {
  if (text === "start" || text === "peak" || text === "end") return text;
  if (/^\d+(?:\.\d+)?$/.test(text)) return Number(text) * 1000;
  if (!DURATION.test(text)) {
    throw new InvalidArgumentError('Give "start", "peak", "end", or a time since the start like 2.5s, 300ms or 1m30s.');
  }
  let milliseconds = 0;
  for (const [, number, unit] of text.matchAll(/([\d.]+)(ms|[smh])/g)) {
    milliseconds += Number(number) * (UNITS[unit as string] as number);
  }
  return milliseconds;
}

/** `at its peak`, `2.5 s after its start` */
export function describeMoment(moment: Moment): string {
  return typeof moment === "number" ? `${moment / 1000} s after its start` : `at its ${moment}`;
}
