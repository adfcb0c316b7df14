import { printable } from "../reporters/terminal-text.js";

/** An error that is the user's to mend: its message is the one sentence printed, without a stack. */
export class CliError extends Error {
  override name = "CliError";
}

/** One sentence for whatever was thrown. */
export function sentenceOf(error: unknown): string {
  if (!(error instanceof Error)) return printable(String(error));
  if ("syscall" in error && error.syscall === "uv_cwd")
    return "the working directory is gone; go to one that is there.";
  const [firstLine = ""] = error.message.split("\n");
  // It may hold what others made up: the command line of another user's process, a program's own message.
  return printable(firstLine) || error.name;
}
