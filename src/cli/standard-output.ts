import { tell } from "./standard-error.js";

let watched = false;

/** Writes to standard output. Opened here and not before, since a program that is run has it to itself. */
export function print(text: string): void {
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
