import { readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { AttachAnswer, AttachSettings } from "../tracker/attach-settings.js";
import { checkLibc, checkNamespaces, nameOf } from "./attachable.js";
import { AttachError } from "./errors.js";
import type { ProcessFacts } from "./process-facts.js";
import type { PythonFacts } from "./python-facts.js";
import { RemoteCalls } from "./remote-calls.js";
import type { Target } from "./target.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");
/** The package that pip installs. */
const PACKAGE = path.join(ROOT, "python");
/** Since when Pythons can be told to run something: sys.remote_exec. */
const OLDEST_MINOR = 14;
const NEWEST_MINOR = 14;

/**
 * Calls into a running Python.
 * @param work what to do with the process
 * @param signal ends waiting for the process
 * @throws {AttachError} one sentence on what to do
 */
export async function withPython<T>(
  found: ProcessFacts,
  python: PythonFacts,
  work: (target: Target) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  checkPython(found, python);
  checkLibc(found);
  checkNamespaces(found, path.join(PACKAGE, "launch"));
  return work(new PythonProcess(found, new RemoteCalls(found, signal)));
}

/** Whether heapray has been loaded into it, by whomever. */
export function hasPythonAgent({ mappedFiles }: ProcessFacts): boolean {
  return [...mappedFiles].some((file) => /\/heapray\/_agent\.[^/]*so(?: \(deleted\))?$/.test(file));
}

function checkPython({ pid }: ProcessFacts, { minor, freeThreaded }: PythonFacts): void {
  if (freeThreaded) {
    throw new AttachError(`process ${pid} runs a free-threaded CPython, which heapray is not for: use one with a GIL.`);
  }
  if (minor === undefined || (minor >= OLDEST_MINOR && minor <= NEWEST_MINOR)) return;
  if (minor > NEWEST_MINOR) {
    throw new AttachError(`process ${pid} runs CPython 3.${minor}, and heapray is for 3.9 to 3.${NEWEST_MINOR}.`);
  }
  throw new AttachError(
    `process ${pid} runs CPython 3.${minor}, which cannot be attached to (3.${OLDEST_MINOR} can): start the program with heapray run, or use heapray's Tracker in it.`,
  );
}

class PythonProcess implements Target {
  readonly facts: ProcessFacts;
  readonly runtime = "Python";
  readonly #calls: RemoteCalls;

  constructor(facts: ProcessFacts, calls: RemoteCalls) {
    this.facts = facts;
    this.#calls = calls;
  }

  /** Only starting tells more than could be seen from outside. */
  async check(): Promise<void> {}

  async start(settings: AttachSettings, connecting?: Promise<unknown>): Promise<void> {
    connecting?.catch(() => {});
    await this.#call("attach", { ...settings, version: ownVersion() });
  }

  stop(): Promise<AttachAnswer> {
    return this.#call("detach", {});
  }

  async #call(name: string, settings: object): Promise<AttachAnswer> {
    const answer = await this.#calls.call(name, settings);
    if (answer.error !== undefined) throw new AttachError(this.#sentence(answer.error));
    return answer;
  }

  #sentence({ code, message }: { code: string; message: string }): string {
    const { pid, user } = this.facts;
    switch (code) {
      case "HEAPRAY_MISSING":
        return `process ${pid} runs a Python that does not have heapray: run "${message} -m pip install ${PACKAGE}", and try again.`;
      case "HEAPRAY_VERSION":
        return `process ${pid} has heapray ${message}, and this is ${ownVersion()}: install this one ("pip install ${PACKAGE}"), and start the process anew.`;
      case "HEAPRAY_TRACKER_ACTIVE":
        return `process ${pid} is being tracked already: stop that first, with heapray detach ${pid}.`;
      case "HEAPRAY_CAPTURE_WRITE":
        if (user === process.geteuid?.()) break;
        return `process ${pid} runs as ${nameOf(user)}, who has to write the capture, and cannot: give -o a folder in which that user may. ${message}`;
    }
    return `process ${pid} cannot be tracked: ${message.replace(/\.?$/, ".")}`;
  }
}

function ownVersion(): string {
  return (JSON.parse(readFileSync(path.join(ROOT, "package.json"), "utf8")) as { version: string }).version;
}
