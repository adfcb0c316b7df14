import { CaptureError } from "../../src/capture/errors.js";

/** The error that `run` is expected to throw; whatever else it throws goes on. */
export function captureErrorOf(run: () => unknown): CaptureError {
  try {
    run();
  } catch (error) {
    if (error instanceof CaptureError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}
