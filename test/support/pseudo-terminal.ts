import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import xterm from "@xterm/headless";

export interface PseudoTerminalOptions {
  readonly columns: number;
  readonly rows: number;
  readonly cwd: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** What was sent to a shell, as a single word. */
const quoted = (word: string) => `'${word.replaceAll("'", "'\\''")}'`;

/** A program in a real pseudo-terminal (of util-linux's `script`), and the screen that its output makes (xterm.js). */
export class PseudoTerminal {
  readonly #child: ChildProcess;
  readonly #folder = mkdtempSync(path.join(tmpdir(), "heapray-pty-"));
  readonly #screen: InstanceType<typeof xterm.Terminal>;
  readonly #exited: Promise<void>;
  /** All that the program wrote. */
  output = "";

  constructor(command: readonly string[], { columns, rows, cwd, env }: PseudoTerminalOptions) {
    this.#screen = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true });
    const file = (name: string) => quoted(path.join(this.#folder, name));
    const inside = [
      `stty rows ${rows} cols ${columns}`,
      `tty > ${file("tty")}`,
      `stty -g > ${file("before")}`,
      `sh -c 'echo $$ > "$0"; exec "$@"' ${file("pid")} ${command.map(quoted).join(" ")}`,
      `echo $? > ${file("status")}`,
      `stty -g > ${file("after")}`,
    ].join("; ");
    this.#child = spawn("script", ["-qec", inside, "/dev/null"], {
      cwd,
      env: { ...process.env, TERM: "xterm-256color", COLORTERM: "", TERM_PROGRAM: "", NO_COLOR: "", ...env },
      stdio: ["pipe", "pipe", "ignore"],
      detached: true,
    });
    this.#child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.output += text;
      this.#screen.write(text);
    });
    this.#exited = new Promise((resolve) => this.#child.on("close", () => resolve()));
  }

  /** The program's process id. */
  get pid(): number {
    return Number(this.#read("pid"));
  }

  /** The screen's rows, without what is empty at their ends. */
  get lines(): string[] {
    const { active } = this.#screen.buffer;
    return Array.from({ length: this.#screen.rows }, (_, row) => {
      return (active.getLine(active.viewportY + row)?.translateToString(true) ?? "").trimEnd();
    });
  }

  get text(): string {
    return this.lines.join("\n");
  }

  /** Whether a full-screen program has it. */
  get isFullScreen(): boolean {
    return this.#screen.buffer.active.type === "alternate";
  }

  type(keys: string): void {
    this.#child.stdin?.write(keys);
  }

  resize(columns: number, rows: number): void {
    this.#screen.resize(columns, rows);
    spawnSync("stty", ["-F", this.#read("tty"), "rows", String(rows), "cols", String(columns)]);
  }

  /** Waits until the screen shows it. @throws {Error} it takes more than 10 s */
  async shows(what: string | RegExp): Promise<void> {
    const has = () => (typeof what === "string" ? this.text.includes(what) : what.test(this.text));
    for (const end = Date.now() + 10_000; !has(); await sleep(10)) {
      if (Date.now() > end) throw new Error(`The screen does not show ${what}:\n${this.text}`);
    }
  }

  /** Waits for the program's end. @returns its exit code as a shell has it, and whether the terminal is as before */
  async ended(): Promise<{ status: number; restored: boolean }> {
    await this.#exited;
    await sleep(20);
    return { status: Number(this.#read("status")), restored: this.#read("before") === this.#read("after") };
  }

  /** Ends whatever still runs. */
  close(): void {
    if (this.#child.exitCode === null && this.#child.pid !== undefined) this.#child.kill("SIGKILL");
    this.#screen.dispose();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #read(name: string): string {
    return readFileSync(path.join(this.#folder, name), "utf8").trim();
  }
}

/** What keys send. */
export const Key = {
  UP: "\u001b[A",
  DOWN: "\u001b[B",
  RIGHT: "\u001b[C",
  LEFT: "\u001b[D",
  ENTER: "\r",
  CTRL_C: "\u0003",
  CTRL_Z: "\u001a",
} as const;
