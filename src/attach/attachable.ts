import { existsSync, readFileSync } from "node:fs";
import { userInfo } from "node:os";
import path from "node:path";
import { ElfFile, SectionType } from "../symbols/elf-file.js";
import { AttachError } from "./errors.js";
import { ProcessFacts } from "./process-facts.js";

const X86_64 = 62;
const ROOT = 0;

/**
 * Looks, from outside, at whether a process is one that this user may attach to; nothing is sent to it.
 * @param pid as this process sees it
 * @throws {AttachError}
 */
export function findProcess(pid: number): ProcessFacts {
  const found = new ProcessFacts(pid);
  if (found.state === undefined) throw new AttachError(`there is no process ${pid}${inContainer()}.`);
  if (pid === process.pid) throw new AttachError(`process ${pid} is this heapray itself.`);
  checkIsProcess(found);
  checkUser(found);
  checkState(found);
  checkCanBeSeen(found);
  return found;
}

/**
 * The same of whether a process is a Node.js that can be attached to.
 * @param bundle absolute path of what is to be loaded into it
 * @throws {AttachError}
 */
export function findAttachable(pid: number, bundle: string): ProcessFacts {
  const found = findProcess(pid);
  if (!isNode(found)) throw neitherRuntime(found);
  checkMachine(found);
  checkLibc(found);
  checkNamespaces(found, bundle);
  return found;
}

function inContainer(): string {
  return existsSync("/.dockerenv") || existsSync("/run/.containerenv")
    ? "; in a container, give the process id that ps shows there"
    : "";
}

function checkIsProcess(found: ProcessFacts): void {
  const { threadGroup } = found;
  if (threadGroup > 0 && threadGroup !== found.pid) {
    throw new AttachError(`${found.pid} is a thread of process ${threadGroup}: give that process id.`);
  }
}

function checkUser(found: ProcessFacts): void {
  const me = process.geteuid?.() ?? ROOT;
  const { user } = found;
  if (me !== ROOT && user !== me) {
    throw new AttachError(
      `process ${found.pid} belongs to ${nameOf(user)}, and you are ${userInfo().username}: run heapray as that user, or as root (sudo).`,
    );
  }
}

function checkState(found: ProcessFacts): void {
  const { pid, state = "X" } = found;
  if (state === "Z" || state === "X") throw new AttachError(`process ${pid} has ended.`);
  if (state === "T") {
    throw new AttachError(`process ${pid} is stopped (SIGSTOP): let it go on first, with kill -CONT ${pid}.`);
  }
  if (state === "t") throw new AttachError(`process ${pid} is held by a debugger (ptrace): let it go on first.`);
}

function checkCanBeSeen(found: ProcessFacts): void {
  // Kernel threads have none.
  if (found.commandLine.length === 0) throw neitherRuntime(found);
  if (found.executable !== undefined) return;
  // Root without CAP_SYS_PTRACE, as in a container, may not look at those that have it.
  const remedy = process.geteuid?.() === 0 ? "as a root that may (CAP_SYS_PTRACE)" : "as root (sudo)";
  throw new AttachError(`process ${found.pid} does not let itself be looked at: run heapray ${remedy}.`);
}

/** For a process that runs something else. */
export function neitherRuntime({ pid, executable }: ProcessFacts): AttachError {
  const name = executable?.replace(/ \(deleted\)$/, "");
  return new AttachError(
    `process ${pid} is not a Node.js or Python process${name === undefined ? "" : `: it runs ${name}`}.`,
  );
}

/** Whether a process runs Node.js. */
export function isNode(found: ProcessFacts): boolean {
  if ([...found.mappedFiles].some((one) => /^libnode\.so/.test(path.basename(one)))) return true;
  const file = ElfFile.open(found.path("exe"));
  if (file === undefined) return false;
  try {
    return exportsNode(file);
  } finally {
    file.close();
  }
}

function checkMachine(found: ProcessFacts): void {
  const file = ElfFile.open(found.path("exe"));
  const machine = file?.read(18, 2)?.readUInt16LE(0);
  file?.close();
  if (machine === X86_64) return;
  throw new AttachError(`process ${found.pid} runs a Node.js for another processor; heapray's agent is for x64.`);
}

/** @throws {AttachError} it runs on another C library than heapray's agent */
export function checkLibc({ pid, mappedFiles }: ProcessFacts): void {
  if (![...mappedFiles].some((one) => /^ld-musl-/.test(path.basename(one)))) return;
  throw new AttachError(
    `process ${pid} runs on musl (Alpine Linux), and heapray's agent is for glibc: use an image with glibc, like node:slim.`,
  );
}

/** Addons find Node's functions among the symbols that its binary exports. */
function exportsNode(file: ElfFile): boolean {
  const symbols = file.sections.find(({ type }) => type === SectionType.DYNSYM);
  const names = symbols && file.sections[symbols.link];
  const text = names && file.read(names.offset, names.size);
  return text?.includes("\0node_module_register\0") ?? false;
}

/** @throws {AttachError} the process has a network of its own, or does not see this file of heapray's */
export function checkNamespaces(found: ProcessFacts, needed: string): void {
  const { pid, ownPid } = found;
  if (!found.shares("net")) {
    const inside = Number.isInteger(ownPid) && ownPid !== pid ? `, where it is process ${ownPid}` : "";
    throw new AttachError(
      `process ${pid} is in a container, with a network of its own: run heapray in there${inside} (docker exec, or sudo nsenter --all --target ${pid}).`,
    );
  }
  if (!found.sees(needed)) {
    throw new AttachError(
      `process ${pid} does not see heapray's files (${path.dirname(needed)}), since it is in a container: run heapray from a folder that both see under the same path.`,
    );
  }
}

/** @throws {AttachError} the process would write the capture somewhere else */
export function checkSeesFolder(found: ProcessFacts, folder: string): void {
  if (!found.sees(folder)) {
    throw new AttachError(
      `process ${found.pid} does not see the folder ${folder} (a container, a service's PrivateTmp): give a file in one that both see with -o.`,
    );
  }
}

/** The name of a user, from the file of users; `user 1000` where it has none. */
export function nameOf(user: number): string {
  try {
    const line = readFileSync("/etc/passwd", "utf8")
      .split("\n")
      .find((one) => one.split(":")[2] === String(user));
    if (line !== undefined) return line.split(":")[0] ?? "";
  } catch {
    // No such file.
  }
  return `user ${user}`;
}
