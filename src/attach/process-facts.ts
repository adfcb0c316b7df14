import { readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";

/** The signal that has Node.js open its inspector: SIGUSR1 on Linux x64. */
const INSPECTOR_SIGNAL = 10;
/** System calls of Linux x64. */
const EPOLL_WAIT = "232";
const EPOLL_PWAIT = "281";

export type Namespace = "pid" | "net" | "mnt";

/** What the kernel tells of a process, in /proc. */
export class ProcessFacts {
  readonly pid: number;

  constructor(pid: number) {
    this.pid = pid;
  }

  /** Absolute path of something in the process's folder. */
  path(name: string): string {
    return `/proc/${this.pid}/${name}`;
  }

  /** `R`, `S`, `T` (stopped), `Z` (has ended), ...; undefined where there is no such process. */
  get state(): string | undefined {
    return this.#stat()?.[0];
  }

  /** When it started, in clock ticks since the machine did: tells it from a later process of the same id. */
  get startTime(): string | undefined {
    return this.#stat()?.[19];
  }

  /** The fields behind its name, which is in parentheses and may hold anything. */
  #stat(): string[] | undefined {
    return this.#read("stat")
      ?.replace(/^.*\)\s/s, "")
      .split(" ");
  }

  /** Of its main thread's process: differs from the pid where that is a thread's id. */
  get threadGroup(): number {
    return Number(this.#status("Tgid"));
  }

  /** Effective user id. */
  get user(): number {
    return Number(this.#status("Uid").split(/\s+/)[1]);
  }

  /** Its id in its own namespace, and in those around it: the last is its own. */
  get ownPid(): number {
    return Number(this.#status("NSpid").split(/\s+/).at(-1));
  }

  /** Whether SIGUSR1 has a handler. It ends a process that has none. */
  get catchesInspectorSignal(): boolean {
    const caught = this.#status("SigCgt");
    return caught !== "" && ((BigInt(`0x${caught}`) >> BigInt(INSPECTOR_SIGNAL - 1)) & 1n) === 1n;
  }

  /** Whether its main thread waits for events, and for no child process as execSync does; as far as one may know. */
  get isIdle(): boolean {
    const [call] = (this.#read("syscall") ?? "").split(" ");
    return (call === EPOLL_WAIT || call === EPOLL_PWAIT) && this.#read(`task/${this.pid}/children`) === "";
  }

  /** How many more files and sockets it may open; infinite where that cannot be seen. */
  get freeDescriptors(): number {
    try {
      return this.descriptorLimit - readdirSync(this.path("fd")).length;
    } catch {
      return Number.POSITIVE_INFINITY;
    }
  }

  /** How many files and sockets it may have open; infinite where that cannot be seen. */
  get descriptorLimit(): number {
    const [, limit] = /^Max open files\s+(\d+)/m.exec(this.#read("limits") ?? "") ?? [];
    return limit === undefined ? Number.POSITIVE_INFINITY : Number(limit);
  }

  /** Its program and arguments. */
  get commandLine(): string[] {
    return (this.#read("cmdline") ?? "").split("\0").slice(0, -1);
  }

  /** What looks like a flag on its command line and in NODE_OPTIONS. */
  get flags(): string[] {
    const environment = (this.#read("environ") ?? "").split("\0");
    const options = environment.find((one) => one.startsWith("NODE_OPTIONS="))?.slice("NODE_OPTIONS=".length) ?? "";
    return [...options.split(/\s+/), ...this.commandLine.slice(1)].filter((word) => word.startsWith("-"));
  }

  /** Whether Node.js's permission model keeps its inspector shut. */
  get isUnderPermissions(): boolean {
    return this.flags.some((flag) => /^--(?:experimental-)?permission$/.test(flag));
  }

  /** The program's file; undefined where this user must not know. */
  get executable(): string | undefined {
    try {
      return readlinkSync(this.path("exe"));
    } catch {
      return undefined;
    }
  }

  /** Paths of the files that it has mapped. */
  get mappedFiles(): Set<string> {
    const lines = (this.#read("maps") ?? "").split("\n");
    return new Set(lines.map((line) => line.split(/\s+/).slice(5).join(" ")).filter((file) => file.startsWith("/")));
  }

  /** Of all its threads. */
  get threadNames(): string[] {
    try {
      return readdirSync(this.path("task")).map((thread) => this.#read(`task/${thread}/comm`)?.trim() ?? "");
    } catch {
      return [];
    }
  }

  /** Whether a namespace is that of this process, too. */
  shares(namespace: Namespace): boolean {
    try {
      return readlinkSync(this.path(`ns/${namespace}`)) === readlinkSync(`/proc/self/ns/${namespace}`);
    } catch {
      return true;
    }
  }

  /** Whether it sees the same file, or folder, at this absolute path. */
  sees(file: string): boolean {
    const here = statSync(file, { throwIfNoEntry: false });
    const there = statSync(this.path(`root${file}`), { throwIfNoEntry: false });
    return here !== undefined && there !== undefined && here.ino === there.ino && here.dev === there.dev;
  }

  /** Whether it still runs: is there, is the same, and has not ended. */
  isStill(startTime: string | undefined): boolean {
    const fields = this.#stat();
    return fields !== undefined && !/^[ZX]/.test(fields[0] ?? "") && fields[19] === startTime;
  }

  #status(name: string): string {
    return new RegExp(`^${name}:\\s*(.*)$`, "m").exec(this.#read("status") ?? "")?.[1] ?? "";
  }

  #read(name: string): string | undefined {
    try {
      return readFileSync(this.path(name), "latin1");
    } catch {
      return undefined;
    }
  }
}
