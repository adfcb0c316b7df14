import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { ProcessFacts } from "./process-facts.js";

/** A TCP socket that waits for connections. */
export interface ListeningSocket {
  readonly inode: string;
  /** One to connect to: of a socket that listens on all addresses, the loopback one. */
  readonly address: string;
  readonly port: number;
}

const LISTENING = "0A";

/** Those of one process. */
export function listeningSockets(process: ProcessFacts): ListeningSocket[] {
  const own = socketInodes(process);
  return allListening(process).filter(({ inode }) => own.has(inode));
}

/** Those of all processes that share a process's network. */
export function allListening(process: ProcessFacts): ListeningSocket[] {
  return ["net/tcp", "net/tcp6"].flatMap((table) => rowsOf(process.path(table)));
}

/** The process that has a socket open; undefined where that cannot be seen. */
export function holderOf({ inode }: ListeningSocket): ProcessFacts | undefined {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.map((pid) => new ProcessFacts(Number(pid))).find((one) => socketInodes(one).has(inode));
}

function rowsOf(table: string): ListeningSocket[] {
  let text: string;
  try {
    text = readFileSync(table, "latin1");
  } catch {
    return [];
  }
  const sockets: ListeningSocket[] = [];
  for (const line of text.split("\n").slice(1)) {
    const fields = line.trim().split(/\s+/);
    const [host = "", port = ""] = (fields[1] ?? "").split(":");
    if (fields[3] !== LISTENING) continue;
    sockets.push({ inode: fields[9] ?? "", address: addressOf(host), port: Number.parseInt(port, 16) });
  }
  return sockets;
}

function socketInodes(process: ProcessFacts): Set<string> {
  const inodes = new Set<string>();
  let names: string[];
  try {
    names = readdirSync(process.path("fd"));
  } catch {
    return inodes;
  }
  for (const name of names) {
    try {
      const [, inode] = /^socket:\[(\d+)\]$/.exec(readlinkSync(process.path(`fd/${name}`))) ?? [];
      if (inode !== undefined) inodes.add(inode);
    } catch {
      // Closed by now.
    }
  }
  return inodes;
}

/** From the kernel's form: words of four bytes, each in the machine's order. */
function addressOf(hexadecimal: string): string {
  const words = hexadecimal.match(/.{8}/g) ?? [];
  const bytes = words.flatMap((word) => (word.match(/../g) ?? []).reverse().map((byte) => Number.parseInt(byte, 16)));
  const anywhere = bytes.every((byte) => byte === 0);
  if (bytes.length === 4) return anywhere ? "127.0.0.1" : bytes.join(".");
  if (anywhere) return "::1";
  const isIpv4 = bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 255 && bytes[11] === 255;
  if (isIpv4) return bytes.slice(12).every((byte) => byte === 0) ? "127.0.0.1" : bytes.slice(12).join(".");
  const groups = Array.from({ length: 8 }, (_, i) =>
    ((bytes[2 * i] ?? 0) * 256 + (bytes[2 * i + 1] ?? 0)).toString(16),
  );
  return groups.join(":");
}
