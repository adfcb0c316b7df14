import { once } from "node:events";
import { setImmediate } from "node:timers/promises";
import { tell } from "./standard-error.js";

let watched = false;

/** Writes much to standard output, as fast as it is read; ends the process where nobody reads any more. */
export async function printAll(pieces: Iterable<string>): Promise<void> {
  for (const piece of pieces) {
    print(piece);
    // An error is told of between two turns of the event loop only.
    if (process.stdout.writableNeedDrain) await once(process.stdout, "drain");
    else await setImmediate();
  }
}

/** Writes to standard output. Opened here and not before, since a program that is run has it to itself. */
export function print(text: string | Uint8Array): void {
  if (!watched) process.stdout.on("error", endWhenUnread);
  watched = true;
  process.stdout.write(text);
}

/** Whoever read our output may stop (`| head`): that is no error, and nobody is left to tell. */
function endWhenUnread(error: NodeJS.ErrnoException): void {
  if (error.code === "EPIPE") process.exit();
  tell(`heapray: cannot write to standard output: ${error.message}.\n`);
  process.exit(1);
}
