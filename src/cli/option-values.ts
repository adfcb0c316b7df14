// Values of options, as they are typed. All throw {InvalidArgumentError}.
import { InvalidArgumentError } from "commander";
import { LONGEST_JS_HEAP_INTERVAL } from "../tracker/options.js";

const LONGEST_MS = 3_600_000;

/** Bytes. */
export function jsHeapInterval(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > LONGEST_JS_HEAP_INTERVAL) {
    throw new InvalidArgumentError("Give a whole number of bytes, from 1 to 1 GiB.");
  }
  return value;
}

export function milliseconds(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > LONGEST_MS) {
    throw new InvalidArgumentError("Give a whole number of milliseconds, 1 or more.");
  }
  return value;
}

export function seconds(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 1e6)) throw new InvalidArgumentError("Give a number of seconds.");
  return value;
}

export function portNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 65_535) {
    throw new InvalidArgumentError("Give a whole number from 1 to 65535.");
  }
  return value;
}

export function processId(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < 1) {
    throw new InvalidArgumentError("Give one process id, a whole number.");
  }
  return value;
}
