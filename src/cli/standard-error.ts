/** Writes to standard error, as far as it takes anything: it may be closed, or a full disk. */
export function tell(text: string): void {
  try {
    process.stderr.write(text);
  } catch {
    // A file is written at once, and throws.
  }
}
