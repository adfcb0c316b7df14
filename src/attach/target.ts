import type { AttachAnswer, AttachSettings } from "../tracker/attach-settings.js";
import { findProcess, isNode, neitherRuntime } from "./attachable.js";
import { findAttachable, loadedAgents, withProcess } from "./attached-process.js";
import { AttachError } from "./errors.js";
import type { ProcessFacts } from "./process-facts.js";
import { pythonOf } from "./python-facts.js";
import { hasPythonAgent, withPython } from "./python-process.js";

/** A running process that heapray can track. */
export interface Target {
  readonly facts: ProcessFacts;
  readonly runtime: "Node.js" | "Python";
  /**
   * Looks at whether heapray has an agent for it.
   * @throws {AttachError}
   */
  check(): Promise<void>;
  /**
   * Starts to track it; to a client, once that has connected.
   * @param connecting fails where the client does
   * @throws {AttachError}
   */
  start(settings: AttachSettings, connecting?: Promise<unknown>): Promise<void>;
  /** Ends what {@link start} began, whoever called it. */
  stop(): Promise<AttachAnswer>;
}

/**
 * Calls into a running process of Node.js or Python.
 * @param work what to do with the process
 * @param signal ends waiting for the process
 * @throws {AttachError} one sentence on what to do
 */
export async function withTarget<T>(
  pid: number,
  work: (target: Target) => Promise<T>,
  signal: AbortSignal = new AbortController().signal,
): Promise<T> {
  const found = findProcess(pid);
  const python = pythonOf(found);
  if (python?.isInterpreter) return withPython(found, python, work, signal);
  if (isNode(found)) return withProcess(pid, work, signal);
  if (python === undefined) throw neitherRuntime(found);
  throw new AttachError(
    `process ${pid} has Python in it and is none itself (it runs ${found.executable}), so it cannot be attached to: use heapray's Tracker in its Python code.`,
  );
}

/**
 * Whether heapray has been loaded into a process: nothing is opened, or loaded, to find out.
 * @throws {AttachError} it is none that can be attached to
 */
export function hasAgent(pid: number): boolean {
  const found = findProcess(pid);
  return pythonOf(found)?.isInterpreter ? hasPythonAgent(found) : loadedAgents(findAttachable(pid)).length > 0;
}
