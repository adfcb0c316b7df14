import { type ChildProcess, spawn } from "node:child_process";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Ended } from "./heapray.js";

/** A program of Node.js that is running. */
export class Running {
  readonly ended: Promise<Ended>;
  readonly #child: ChildProcess;
  #stdout = "";
  #stderr = "";

  constructor(binary: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv = process.env) {
    // In a session of its own, so that the terminal that tests are run at is not the program's.
    this.#child = spawn(binary, args, { cwd, env, stdio: "pipe", detached: true });
    this.#child.stdin?.on("error", () => {});
    this.#child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.#stdout += text;
    });
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr += text;
    });
    this.ended = new Promise((resolve) => {
      this.#child.on("close", (status, signal) =>
        resolve({ status, signal, stdout: this.#stdout, stderr: this.#stderr }),
      );
    });
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  tell(word: string): void {
    this.#child.stdin?.write(`${word}\n`);
  }

  /** Waits until it has printed this. */
  async says(text: string | RegExp): Promise<void> {
    await until(() => this.#stdout.search(text) >= 0 || this.#child.exitCode !== null);
    if (this.#stdout.search(text) < 0) throw new Error(`It ended without ${text}: ${this.#stdout}${this.#stderr}`);
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }
}

/** Waits until this is so. @throws {Error} when it takes longer */
export async function until(so: () => boolean, timeoutMs = 20_000): Promise<void> {
  for (const deadline = Date.now() + timeoutMs; !so(); await sleep(5)) {
    if (Date.now() > deadline) throw new Error(`Not so after ${timeoutMs} ms: ${so}`);
  }
}

/** A port of this machine that nobody listens on. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" ? (address?.port ?? 0) : 0));
    });
  });
}
