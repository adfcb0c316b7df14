/** An error that is the user's to mend: its message is the one sentence printed, without a stack. */
export class CliError extends Error {
  override name = "CliError";
}

/** One sentence for whatever was thrown. */
export function sentenceOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const [firstLine = ""] = error.message.split("\n");
  return firstLine || error.name;
}
