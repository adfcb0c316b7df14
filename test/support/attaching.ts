import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { until } from "./running.js";

/** Programs of Node.js that tests attach to. Each is stopped by {@link Programs.stop}. */
export class Programs {
  readonly #started: Program[] = [];

  start(binary: string, args: readonly string[], options: { cwd?: string; uid?: number } = {}): Program {
    const started = new Program(spawn(binary, args, { stdio: "pipe", detached: true, ...options }));
    this.#started.push(started);
    return started;
  }

  async stop(): Promise<void> {
    for (const one of this.#started.splice(0)) {
      one.kill("SIGCONT");
      one.kill("SIGKILL");
      await one.ended;
    }
  }
}

export class Program {
  readonly pid: number;
  readonly ended: Promise<{ readonly status: number | null; readonly signal: NodeJS.Signals | null }>;
  readonly #child: ChildProcess;
  stdout = "";
  stderr = "";

  constructor(child: ChildProcess) {
    this.#child = child;
    this.pid = child.pid ?? 0;
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.stdout += text;
    });
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.stderr += text;
    });
    this.ended = new Promise((resolve) => {
      child.on("close", (status, signal) => resolve({ status, signal }));
    });
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  kill(signal: NodeJS.Signals): void {
    if (!this.hasEnded) this.#child.kill(signal);
  }

  tell(word: string): void {
    this.#child.stdin?.write(`${word}\n`);
  }

  /** Waits until it has printed this, on either stream. */
  async says(text: string | RegExp): Promise<RegExpMatchArray> {
    await until(() => `${this.stdout}${this.stderr}`.match(text) !== null || this.hasEnded);
    const found = `${this.stdout}${this.stderr}`.match(text);
    if (found === null) throw new Error(`It ended without ${text}: ${this.stdout}${this.stderr}`);
    return found;
  }

  /** Of the server that it is. */
  async port(): Promise<number> {
    const [, port] = await this.says(/listens on (\d+)/);
    return Number(port);
  }

  /** The ports that it listens on. */
  get listening(): number[] {
    const own = new Set(readdirSync(`/proc/${this.pid}/fd`).map((name) => this.#target(name)));
    return readFileSync(`/proc/${this.pid}/net/tcp`, "latin1")
      .split("\n")
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[3] === "0A" && own.has(`socket:[${fields[9]}]`))
      .map((fields) => Number.parseInt(fields[1]?.split(":")[1] ?? "", 16));
  }

  /** How many it has open. */
  get descriptors(): { readonly sockets: number; readonly others: number } {
    const targets = readdirSync(`/proc/${this.pid}/fd`).map((name) => this.#target(name));
    const sockets = targets.filter((target) => target.startsWith("socket:")).length;
    return { sockets, others: targets.length - sockets };
  }

  get threads(): number {
    return readdirSync(`/proc/${this.pid}/task`).length;
  }

  #target(descriptor: string): string {
    try {
      return readlinkSync(`/proc/${this.pid}/fd/${descriptor}`);
    } catch {
      return "";
    }
  }
}
