// A server program in a process of its own, and what it uses of the processor.
import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { program } from "../root.mjs";

/** Milliseconds for a server to listen, and to end. */
const PATIENCE_MS = 20_000;

/** @typedef {import("./ways.mjs").CommandLine} CommandLine */

export class RunningServer {
  #child;
  #exit;
  #pid = 0;
  #url = "";
  #kill = () => this.#child.kill("SIGKILL");

  /** @param {CommandLine} command what comes before the script */
  constructor([binary, ...args]) {
    this.#child = spawn(binary, [...args, program("http-server.cjs")], { stdio: ["ignore", "pipe", "inherit"] });
    // Whatever ends the benchmark ends it too.
    process.once("exit", this.#kill);
    this.#exit = new Promise((resolve) => this.#child.once("close", resolve).once("error", resolve));
  }

  /**
   * @param {CommandLine} command
   * @throws {Error} the server does not listen
   */
  static async start(command) {
    const server = new RunningServer(command);
    const lines = createInterface({ input: /** @type {import("node:stream").Readable} */ (server.#child.stdout) });
    const listening = new Promise((resolve) => lines.once("line", resolve));
    const line = await Promise.race([listening, server.#exit, after(PATIENCE_MS)]);
    if (typeof line !== "string") {
      await server.stop();
      throw new Error(`${command.join(" ")}: the server does not listen`);
    }
    const { port, pid } = JSON.parse(line);
    server.#pid = pid;
    server.#url = `http://127.0.0.1:${port}/?page=3`;
    return server;
  }

  get url() {
    return this.#url;
  }

  /** Milliseconds of the processor that its threads have used, and those of `heapray run` around it. */
  get cpuMs() {
    const processes = new Set([this.#pid, this.#child.pid ?? this.#pid]);
    return [...processes].reduce((sum, pid) => sum + cpuMsOf(pid), 0);
  }

  async stop() {
    // heapray passes it on.
    this.#child.kill("SIGTERM");
    const ended = await Promise.race([this.#exit.then(() => true), after(PATIENCE_MS)]);
    if (!ended) this.#child.kill("SIGKILL");
    await this.#exit;
    process.off("exit", this.#kill);
  }
}

/** @param {number} pid */
function cpuMsOf(pid) {
  const threads = readdirSync(`/proc/${pid}/task`);
  return threads.reduce((sum, thread) => sum + runTimeMs(`/proc/${pid}/task/${thread}/schedstat`), 0);
}

/** @param {string} file */
function runTimeMs(file) {
  try {
    return Number(readFileSync(file, "utf8").split(" ")[0]) / 1e6;
  } catch {
    // A thread that has just ended.
    return 0;
  }
}

/**
 * @param {number} milliseconds
 * @returns {Promise<undefined>} it keeps no process alive
 */
function after(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds, undefined).unref());
}
