import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { AttachAnswer } from "../tracker/attach-settings.js";
import { AttachError } from "./errors.js";
import type { ProcessFacts } from "./process-facts.js";

const SCRIPT = fileURLToPath(new URL("../../python/launch/remote_call.py", import.meta.url));
/** Runs in another Python of the same kind. */
const SEND = "import sys; sys.remote_exec(int(sys.argv[1]), sys.argv[2])";
const SEND_MS = 10_000;
/** How long the main thread may take to come to a point where it can run something. */
const MAIN_THREAD_MS = 10_000;
/** Loading and starting the agent. */
const WORK_MS = 60_000;
const LOOK_MS = 10;
/** The file that whoever makes it first decides with: the script that it begins, or heapray that it never will. */
const BEGUN = "begun";

/**
 * Has a running Python call a function of heapray._attach: by sys.remote_exec, with a script and its answer as files in
 * a folder that only the process's user can look into.
 */
export class RemoteCalls {
  readonly #process: ProcessFacts;
  readonly #signal: AbortSignal;
  readonly #startTime: string | undefined;

  /** @param signal ends waiting for answers */
  constructor(process: ProcessFacts, signal: AbortSignal) {
    this.#process = process;
    this.#signal = signal;
    this.#startTime = process.startTime;
  }

  /**
   * @param name a function's, which is given the settings and returns the answer
   * @throws {AttachError}
   */
  async call(name: string, settings: object): Promise<AttachAnswer> {
    const folder = this.#makeFolder();
    let isOver = true;
    try {
      // Should this process be killed, it is not to happen much later.
      const deadline = process.hrtime.bigint() + BigInt(MAIN_THREAD_MS) * 1_000_000n;
      const request = { folder, deadline: String(deadline), call: name, settings };
      const script = path.join(folder, "call.py");
      // A JSON string is one of Python's as well.
      const text = `REQUEST = ${JSON.stringify(JSON.stringify(request))}\n${readFileSync(SCRIPT, "utf8")}`;
      this.#write(script, text);
      this.#send(script);
      return await this.#answer(folder);
    } catch (error) {
      isOver = !(error instanceof NeverBegunError);
      throw error;
    } finally {
      // The process says so on its standard error where the script is missing: a late one takes its folder away itself.
      if (isOver) rmSync(folder, { recursive: true, force: true });
    }
  }

  /** In a folder for temporary files that both see. */
  #makeFolder(): string {
    const { pid, user } = this.#process;
    const parent = [tmpdir(), "/tmp", "/var/tmp", "/dev/shm"].find((one) => existsSync(one) && this.#process.sees(one));
    if (parent === undefined) {
      throw new AttachError(
        `process ${pid} shares no folder for temporary files with heapray (a container, a service's PrivateTmp): set TMPDIR to one that both see.`,
      );
    }
    const folder = mkdtempSync(path.join(parent, "heapray-attach-"));
    chmodSync(folder, 0o700);
    if (user !== process.geteuid?.()) chownSync(folder, user, -1);
    return folder;
  }

  #write(file: string, text: string): void {
    writeFileSync(file, text, { mode: 0o600, flag: "wx" });
    const { user } = this.#process;
    if (user !== process.geteuid?.()) chownSync(file, user, -1);
  }

  #send(script: string): void {
    const { pid, executable = "" } = this.#process;
    // By its file, which an upgrade may have replaced; it finds its library by its name.
    const sent = spawnSync(this.#process.path("exe"), ["-I", "-S", "-c", SEND, String(pid), script], {
      argv0: executable.replace(/ \(deleted\)$/, ""),
      encoding: "utf8",
      timeout: SEND_MS,
      stdio: ["ignore", "ignore", "pipe"],
      env: {},
    });
    if (sent.status === 0) return;
    throw new AttachError(this.#whyNotSent(sent.error?.message ?? sent.stderr.trim().split("\n").at(-1) ?? ""));
  }

  #whyNotSent(message: string): string {
    const { pid } = this.#process;
    if (!this.#process.isStill(this.#startTime)) return `process ${pid} has ended.`;
    if (/^PermissionError|not permitted|permission/i.test(message)) {
      return `process ${pid} does not let itself be attached to by this user: run heapray as root (sudo), or permit it with "sysctl kernel.yama.ptrace_scope=0".`;
    }
    if (message.includes("not enabled")) {
      return `process ${pid} was started without remote debugging (PYTHON_DISABLE_REMOTE_DEBUG, -X disable-remote-debug), which attaching needs: start it without that, or with heapray run.`;
    }
    return `process ${pid} cannot be attached to: ${message.replace(/^\w+: /, "").replace(/\.?$/, ".")}`;
  }

  async #answer(folder: string): Promise<AttachAnswer> {
    const { pid } = this.#process;
    const answer = path.join(folder, "answer.json");
    const start = Date.now();
    let begun = false;
    while (!existsSync(answer)) {
      if (!this.#process.isStill(this.#startTime)) throw new AttachError(`process ${pid} has ended.`);
      begun ||= existsSync(path.join(folder, BEGUN));
      const passed = Date.now() - start;
      if (!begun && (this.#signal.aborted || passed > MAIN_THREAD_MS) && takesBack(folder)) {
        throw new NeverBegunError(
          this.#signal.aborted
            ? String(this.#signal.reason?.message)
            : `process ${pid} does not answer: its main thread waits for something, or is in one long call; try again when it does something.`,
        );
      }
      if (passed > WORK_MS) throw new AttachError(`process ${pid} does not come to an end with starting the agent.`);
      await sleep(LOOK_MS);
    }
    try {
      return JSON.parse(readFileSync(answer, "utf8")) as AttachAnswer;
    } catch {
      throw new AttachError(`process ${pid} does not answer as heapray does; it cannot be attached to.`);
    }
  }
}

/** Sees to it that the script does nothing any more; false where it has begun. */
function takesBack(folder: string): boolean {
  try {
    writeFileSync(path.join(folder, BEGUN), "", { flag: "wx" });
    return true;
  } catch {
    return false;
  }
}

/** The script may still be run, and will do nothing. */
class NeverBegunError extends AttachError {
  override name = "AttachError";
}
