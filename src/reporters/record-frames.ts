import { answeringFrame } from "../analysis/answering-frame.js";
import type { AllocationRecord, Frame } from "../capture/records.js";

/**
 * The stack of a record, innermost first and never empty, so that no bytes are left out: what was allocated without a
 * stack has one frame, which names its thread.
 */
export function framesOf(record: AllocationRecord): readonly Frame[] {
  const frames = record.stackTrace();
  return frames.length > 0 ? frames : [answeringFrame(frames, record)];
}
