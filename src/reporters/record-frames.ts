import type { AllocationRecord, Frame } from "../capture/records.js";

/**
 * The stack of a record, innermost first and never empty, so that no bytes are left out: what was allocated without a
 * stack has one frame, which names its thread.
 */
export function framesOf(record: AllocationRecord): readonly Frame[] {
  const frames = record.stackTrace();
  return frames.length > 0 ? frames : [threadFrame(record)];
}

/** Stands for what a thread allocated without any frame. */
export function threadFrame({ threadName, tid }: AllocationRecord): Frame {
  return { function: `thread ${threadName || tid}, no JavaScript`, file: "", line: 0, column: 0 };
}
