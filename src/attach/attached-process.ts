import { existsSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { AttachAnswer, AttachSettings, TargetVersions } from "../tracker/attach-settings.js";
import { findAttachable as find, nameOf } from "./attachable.js";
import { AttachError, LostConnectionError } from "./errors.js";
import {
  CLOSE_INSPECTOR,
  GET_BUILTIN,
  NAMED,
  PREPARE_TO_CLOSE_INSPECTOR,
  PROCESS,
  VERSIONS,
} from "./inspector-expressions.js";
import { openInspector } from "./inspector-port.js";
import { EvaluationError, InspectorSession, TooBusyError } from "./inspector-session.js";
import { ProcessFacts } from "./process-facts.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");
/** What is loaded into the process. */
const BUNDLE = path.join(ROOT, "dist/attach.cjs");
/** How long its main thread may take; milliseconds. The inspector interrupts JavaScript, but no call into C++. */
const MAIN_THREAD_MS = 10_000;
/** Loading and calibrating the agent. */
const START_MS = 60_000;
const CLOSE_MS = 2000;
const CONNECT_LOOK_MS = 20;
const MOST_TRIES = 3;
const OLDEST_NODE = 20;

/**
 * Looks, from outside, at whether a process can be attached to.
 * @throws {AttachError}
 */
export function findAttachable(pid: number): ProcessFacts {
  return find(pid, BUNDLE);
}

/**
 * Calls into a running process through its inspector, which is opened for that where it is not, and closed again.
 * @param work what to do with the process
 * @param signal ends waiting for the process
 * @throws {AttachError} one sentence on what to do
 */
export async function withProcess<T>(
  pid: number,
  work: (target: AttachedProcess) => Promise<T>,
  signal: AbortSignal = new AbortController().signal,
): Promise<T> {
  const { startTime } = new ProcessFacts(pid);
  for (let tries = 1; ; tries++) {
    const found = findAttachable(pid);
    try {
      return await inSession(found, work, signal);
    } catch (error) {
      if (!(error instanceof LostConnectionError)) throw error;
      if (!found.isStill(startTime)) throw new AttachError(`process ${pid} has ended.`);
      // Another heapray that was at work on it has closed the inspector, as ours is at the end.
      if (tries === MOST_TRIES) throw error;
    }
  }
}

async function inSession<T>(
  found: ProcessFacts,
  work: (target: AttachedProcess) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  const { url, ours } = await openInspector(found, signal);
  const session = await InspectorSession.open(url);
  try {
    if (ours) await session.evaluate(PREPARE_TO_CLOSE_INSPECTOR, MAIN_THREAD_MS);
    return await work(new AttachedProcess(found, session));
  } catch (error) {
    throw asAttachError(found, error);
  } finally {
    // Should the process be too busy now, it closes its inspector as soon as it can.
    if (ours) {
      session.leaveBehind(CLOSE_INSPECTOR);
      await session.closed(CLOSE_MS);
    }
    await session.close();
  }
}

function asAttachError({ pid }: ProcessFacts, error: unknown): unknown {
  if (error instanceof TooBusyError) {
    return new AttachError(
      `process ${pid} does not answer: its main thread is busy in one long call; try again when it is done.`,
    );
  }
  if (!(error instanceof EvaluationError)) return error;
  return new AttachError(
    `process ${pid} cannot be attached to, since the program has changed what Node.js gives it: ${error.message}.`,
  );
}

/** A process whose inspector is open. */
export class AttachedProcess {
  readonly facts: ProcessFacts;
  readonly runtime = "Node.js";
  readonly #session: InspectorSession;

  constructor(facts: ProcessFacts, session: InspectorSession) {
    this.facts = facts;
    this.#session = session;
  }

  /**
   * Looks at whether heapray has an agent for it.
   * @throws {AttachError}
   */
  async check(): Promise<void> {
    const text = await this.#session.evaluate(VERSIONS, MAIN_THREAD_MS);
    const versions = JSON.parse(String(text)) as TargetVersions;
    const { pid, threadNames } = this.facts;
    // Another installation's agent cannot be asked by this one's.
    const isForeign = loadedAgents(this.facts).some((file) => !file.startsWith(`${ROOT}/`));
    if (isForeign && threadNames.includes("heapray")) throw new AttachError(trackedAlready(pid));
    if (versions.other !== undefined) {
      throw new AttachError(`process ${pid} runs ${versions.other}, and heapray's agent is for Node.js.`);
    }
    if (Number(versions.node.slice(1).split(".")[0]) < OLDEST_NODE) {
      throw new AttachError(
        `process ${pid} runs Node.js ${versions.node}, and heapray is for ${OLDEST_NODE} and newer.`,
      );
    }
    const agent = path.join(ROOT, "build", `node-v${versions.modules}`, "heapray.node");
    if (!existsSync(agent)) {
      throw new AttachError(
        `process ${pid} runs Node.js ${versions.node}, for which heapray's agent is not built: run "node ${path.join(ROOT, "scripts/build-native.mjs")} --node ${versions.executable}".`,
      );
    }
  }

  /**
   * Starts to track it; to a client, once that has connected.
   * @param connecting fails where the client does
   * @throws {AttachError}
   */
  async start(settings: AttachSettings, connecting?: Promise<unknown>): Promise<void> {
    let failed: { readonly error: unknown } | undefined;
    connecting?.catch((error) => {
      failed = { error };
    });
    for (;;) {
      const { waiting } = await this.#call("attach", settings, START_MS);
      if (!waiting) return;
      if (failed !== undefined) throw failed.error;
      await sleep(CONNECT_LOOK_MS);
    }
  }

  /** Ends what {@link start} began, whoever called it, from whatever installation of heapray. */
  async stop(): Promise<AttachAnswer> {
    let last: AttachAnswer = {};
    for (const agent of loadedAgents(this.facts)) {
      const answer = await this.#call("detach", {}, START_MS, path.resolve(agent, "../../../dist/attach.cjs"));
      if (answer.complete !== undefined) return answer;
      last = { ...last, ...answer };
    }
    return last;
  }

  /** Calls a function of what is loaded into the process. */
  async #call(name: string, settings: object, timeoutMs: number, bundle = BUNDLE): Promise<AttachAnswer> {
    // Once this process has given up, it is not to happen any more.
    const deadline = process.hrtime.bigint() + BigInt(timeoutMs) * 1_000_000n;
    const text = await this.#session.evaluate(
      `(() => {
        try {
          if (${PROCESS}.hrtime.bigint() > ${deadline}n) return "{}";
          const load = ${GET_BUILTIN}("node:module").createRequire(${JSON.stringify(bundle)});
          return load(${JSON.stringify(bundle)}).${name}(${JSON.stringify(settings)});
        } catch (error) {
          return JSON.stringify({ error: { code: String(error.code), message: String(error.message).split("\\n")[0] } });
        }
      })()${NAMED}`,
      timeoutMs,
    );
    const answer = JSON.parse(String(text)) as AttachAnswer;
    if (answer.error !== undefined) throw new AttachError(this.#sentence(answer.error));
    return answer;
  }

  #sentence({ code, message }: { code: string; message: string }): string {
    const { pid } = this.facts;
    if (code === "HEAPRAY_TRACKER_ACTIVE") {
      return trackedAlready(pid);
    }
    const isOthers = this.facts.user !== process.geteuid?.();
    if (isOthers && (code === "EACCES" || code === "MODULE_NOT_FOUND")) {
      return `process ${pid} runs as ${nameOf(this.facts.user)}, who may not read heapray's files: install heapray where that user may, not in ${ROOT}.`;
    }
    if (code === "ERR_ACCESS_DENIED") {
      return `process ${pid} runs under Node.js's permission model, which keeps heapray out: start it with --allow-addons and --allow-fs-read=${ROOT}.`;
    }
    if (message.includes("loading addons is disabled")) {
      return `process ${pid} runs without permission for addons, which heapray's agent is: start it with --allow-addons, or without --no-addons.`;
    }
    if (this.facts.flags.some((flag) => /^--inspect-(?:brk|wait)(?:=|$)/.test(flag))) {
      return `process ${pid} waits for a debugger before it begins, or has not begun (${message}): let it begin first.`;
    }
    if (code === "HEAPRAY_CAPTURE_WRITE") return this.#cannotWrite(message);
    return `process ${pid} cannot be tracked: ${message}`;
  }

  #cannotWrite(message: string): string {
    const { pid, user } = this.facts;
    if (user === process.geteuid?.()) return `process ${pid} cannot be tracked: ${message}`;
    return `process ${pid} runs as ${nameOf(user)}, who has to write the capture, and cannot: give -o a folder in which that user may. ${message}`;
  }
}

/** The agents of heapray that a process has loaded, of all installations: absolute paths. */
export function loadedAgents({ mappedFiles }: ProcessFacts): string[] {
  // A new one may have been built since.
  const files = [...mappedFiles].map((file) => file.replace(/ \(deleted\)$/, ""));
  return files.filter((file) => path.basename(file) === "heapray.node");
}

function trackedAlready(pid: number): string {
  return `process ${pid} is being tracked already: stop that first, with heapray detach ${pid}.`;
}
