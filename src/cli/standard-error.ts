let watched = false;

/** Writes to standard error, as far as it takes anything: it may be closed, or a full disk. */
export function tell(text: string | Uint8Array): void {
  try {
    // There is nowhere to complain of it.
    if (!watched) process.stderr.on("error", () => {});
    watched = true;
    process.stderr.write(text);
  } catch {
    // A file is written at once, and throws.
  }
}
