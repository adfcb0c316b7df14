// One run of a program, and what it took.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

/**
 * @typedef {object} Run
 * @property {number} wallMs of the whole process
 * @property {number} cpuMs of the whole process and all that it started and waited for; in steps of 10 ms
 * @property {number} workMs of the work alone, as the program printed it
 * @property {Record<string, number>} printed whatever else the program printed
 */

/** Milliseconds in a tick of /proc; on Linux x64 a tick is always a hundredth of a second. */
const TICK_MS = 10;
const LONGEST_MS = 30 * 60_000;

/**
 * @param {readonly [string, ...string[]]} command that prints JSON: milliseconds, or an object with `ms` and other figures
 * @returns {Run}
 * @throws {Error} the command failed, or printed no figure
 */
export function timedRun([binary, ...args]) {
  const cpuBefore = childrensCpuMs();
  const start = process.hrtime.bigint();
  const { status, signal, stdout, stderr, error } = spawnSync(binary, args, { encoding: "utf8", timeout: LONGEST_MS });
  const wallMs = Number(process.hrtime.bigint() - start) / 1e6;
  const cpuMs = childrensCpuMs() - cpuBefore;
  const command = [binary, ...args].join(" ");
  if (error || status !== 0) throw new Error(`${command}: ${error ?? signal ?? status}\n${stderr}`);
  const printed = lastFigures(stdout);
  if (printed === undefined) throw new Error(`${command}: it printed no milliseconds, but: ${stdout}`);
  const { ms, ...others } = printed;
  return { wallMs, cpuMs, workMs: ms, printed: others };
}

/**
 * Other programs around the measured one (heaptrack) print too.
 * @param {string} stdout
 * @returns {{ ms: number, [name: string]: number } | undefined}
 */
function lastFigures(stdout) {
  for (const line of stdout.split("\n").reverse()) {
    try {
      const printed = JSON.parse(line);
      if (typeof printed === "number") return { ms: printed };
      if (typeof printed?.ms === "number") return printed;
    } catch {
      // Not this line.
    }
  }
  return undefined;
}

function childrensCpuMs() {
  // After the command in parentheses, which may hold anything, cutime and cstime are the 14th and 15th.
  const fields = readFileSync("/proc/self/stat", "utf8").split(") ").at(-1)?.split(" ") ?? [];
  return (Number(fields[13]) + Number(fields[14])) * TICK_MS;
}
