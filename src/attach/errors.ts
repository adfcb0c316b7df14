/** Why a process cannot be attached to, in one sentence that says what to do. */
export class AttachError extends Error {
  override name = "AttachError";
}

/** The process did something unforeseen in between (it ended, its inspector was closed): trying again may help. */
export class LostConnectionError extends AttachError {
  override name = "LostConnectionError";
}
