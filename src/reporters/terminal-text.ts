import { stripVTControlCharacters } from "node:util";

/** What moves the cursor, colours, rings, or turns the direction of what follows. */
const CONTROL = /[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** A name or path from a capture as it can be printed: whoever made it up cannot write elsewhere on the terminal. */
export function printable(text: string): string {
  return stripVTControlCharacters(text).replace(CONTROL, "");
}
