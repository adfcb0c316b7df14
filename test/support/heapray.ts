import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

export const root = path.resolve(fileURLToPath(import.meta.url), "../../..");
export const cliPath = path.join(root, "bin/heapray.js");

export interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly cwd?: string;
  readonly input?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** The Node.js to run on; by default the running one. */
  readonly node?: string;
}

/** Runs a program of Node.js to its end. */
export function node(args: readonly string[], options: CommandOptions = {}): Ended {
  const { cwd, input = "", env = process.env, node: binary = process.execPath } = options;
  const ended = spawnSync(binary, args, { cwd, input, env, encoding: "utf8", maxBuffer: 2 ** 28, timeout: 110_000 });
  if (ended.error) throw ended.error;
  const { status, signal, stdout, stderr } = ended;
  return { status, signal, stdout, stderr };
}

/** Runs the command line to its end. */
export function heapray(args: readonly string[], options: CommandOptions = {}): Ended {
  return node([cliPath, ...args], options);
}

/**
 * Starts the command line, tells `onReady` of the process once the program has printed "ready", and waits for the end.
 */
export function heaprayUntilReady(
  args: readonly string[],
  onReady: (pid: number) => void,
  options: CommandOptions = {},
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(options.node ?? process.execPath, [cliPath, ...args], {
      cwd: options.cwd,
      stdio: "pipe",
      // In a session of its own, so that the terminal that tests are run at is not the program's.
      detached: true,
    });
    const out = { stdout: "", stderr: "" };
    let ready = false;
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      out.stdout += text;
      if (ready || !out.stdout.includes("ready")) return;
      ready = true;
      onReady(child.pid ?? 0);
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      out.stderr += text;
    });
    child.on("error", reject);
    child.on("close", (status, signal) => resolve({ status, signal, ...out }));
  });
}

export interface Folder {
  readonly path: string;
  /** @returns the absolute path of a new file with this content */
  write(name: string, content: string | Uint8Array): string;
  join(name: string): string;
  remove(): void;
}

/** A new, empty folder for one test. */
export function temporaryFolder(): Folder {
  // Resolved, since a program sees its folder's real path.
  const folder = realpathSync(mkdtempSync(path.join(tmpdir(), "heapray-test-")));
  const join = (name: string) => path.join(folder, name);
  return {
    path: folder,
    join,
    write(name, content) {
      writeFileSync(join(name), content);
      return join(name);
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
