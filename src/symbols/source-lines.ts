import { spawnSync } from "node:child_process";
import path from "node:path";

/** Functions executing at one address, innermost first: names as the debug information has them. */
export interface PlacedFunction {
  /** Mangled, where the language does that. */
  readonly symbol: string;
  /** "" where unknown. */
  readonly file: string;
  /** 0 where unknown. */
  readonly line: number;
}

export interface SourceLines {
  readonly at: ReadonlyMap<number, readonly PlacedFunction[]>;
  /** Whether it took too long, so that some are missing. */
  readonly late: boolean;
}

const TIME_LIMIT_MS = 60_000;
const ADDRESSES_PER_RUN = 20_000;
const MAX_OUTPUT_BYTES = 256 * 1024 * 1024;
/** Debug information that does not fit into this much memory is not read; KiB. */
const MEMORY_LIMIT = 8 * 1024 * 1024;
/** The arguments follow as $1 and so on. */
const COMMAND = `ulimit -v ${MEMORY_LIMIT}; exec addr2line "$@"`;

/**
 * Asks the system's addr2line (binutils) for the functions, inlined ones included, and lines that a file's DWARF has for
 * the addresses. Without an addr2line, none.
 */
export function sourceLines(file: string, addresses: readonly number[], timeLimitMs = TIME_LIMIT_MS): SourceLines {
  const at = new Map<number, PlacedFunction[]>();
  const end = Date.now() + timeLimitMs;
  for (let first = 0; first < addresses.length; first += ADDRESSES_PER_RUN) {
    const some = addresses.slice(first, first + ADDRESSES_PER_RUN);
    const run = spawnSync("sh", ["-c", COMMAND, "sh", "-a", "-i", "-f", "-e", file], {
      input: some.map((address) => `0x${address.toString(16)}\n`).join(""),
      encoding: "utf8",
      // Nothing is fetched over a network.
      env: { ...process.env, LC_ALL: "C", DEBUGINFOD_URLS: "" },
      stdio: ["pipe", "pipe", "ignore"],
      timeout: Math.max(1, end - Date.now()),
      killSignal: "SIGKILL",
      maxBuffer: MAX_OUTPUT_BYTES,
    });
    if ((run.error as NodeJS.ErrnoException | undefined)?.code === "ETIMEDOUT") return { at, late: true };
    if (run.error !== undefined || run.status !== 0) return { at, late: false };
    parse(run.stdout, some, at);
  }
  return { at, late: false };
}

/** Of each address: a line with it, then two lines for each function. */
function parse(output: string, addresses: readonly number[], at: Map<number, PlacedFunction[]>): void {
  const lines = output.split("\n");
  let index = -1;
  for (let i = 0; i < lines.length; ) {
    const line = lines[i] as string;
    if (/^0x[0-9a-f]+$/.test(line)) {
      index++;
      i++;
      continue;
    }
    const address = addresses[index];
    const place = /^(.*):(\d+|\?)(?: \(discriminator \d+\))?$/.exec(lines[i + 1] ?? "");
    if (address !== undefined && place !== null) {
      const [, file = "", number] = place;
      const known = file !== "??" && file !== "";
      const functions = at.get(address) ?? [];
      functions.push({ symbol: line, file: known ? path.posix.normalize(file) : "", line: Number(number) || 0 });
      at.set(address, functions);
    }
    i += 2;
  }
}
