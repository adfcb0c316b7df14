import { InvalidArgumentError } from "commander";

/** Takes an option's value that must be a whole number, 1 or more. */
export function countingNumber(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError("Give a whole number, 1 or more.");
  return value;
}
