import { readFileSync } from "node:fs";
import { type Agent, type Listener, loadAgent } from "./binding.js";
import { TrackerActiveError } from "./errors.js";
import { packageFolder } from "./package-folder.js";

const ADDRESS = "127.0.0.1";
const ROOT = 0;

/** Waits for a client on this machine, without holding up the thread. */
export class LiveClient {
  readonly port: number;
  readonly listener: Listener;
  readonly #agent: Agent;

  /**
   * Listens.
   * @throws {TrackerActiveError}
   * @throws {Error} with a `code`, like `EADDRINUSE`
   */
  constructor(port: number) {
    this.#agent = loadAgent(packageFolder());
    if (this.#agent.isActive()) throw new TrackerActiveError();
    this.port = port;
    this.listener = this.#agent.listen({ address: ADDRESS, port, blocked: false });
  }

  /**
   * Whether a client has connected by now.
   * @param user - who may, next to root and this process's own user
   * @throws {Error} it is another user's, or has gone
   */
  hasConnected(user: number): boolean {
    if (!this.#agent.accept({ listener: this.listener, milliseconds: 0 })) return false;
    const allowed = [ROOT, process.geteuid?.() ?? ROOT, user];
    const users = usersConnectedTo(this.port);
    if (users.length === 0) throw new Error("its client has gone again; try again.");
    if (users.every((one) => allowed.includes(one))) return true;
    throw new Error("another user of this machine has connected to it first; try again.");
  }

  /** Waits no more, and lets go of a client that tracking does not have. */
  close(): void {
    this.#agent.closeListener({ listener: this.listener });
  }
}

/** Whose connections lead to a port of this machine, by the kernel's tables of connections. */
function usersConnectedTo(port: number): number[] {
  const remote = `0100007F:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  // A socket of IPv6 reaches the same address, and is in the other table.
  return [...connections("tcp"), ...connections("tcp6")]
    .filter((fields) => fields[2]?.endsWith(remote))
    .map((fields) => Number(fields[7]));
}

/** The fields of each. */
function connections(table: "tcp" | "tcp6"): string[][] {
  try {
    const rows = readFileSync(`/proc/self/net/${table}`, "latin1").split("\n").slice(1);
    return rows.map((row) => row.trim().split(/\s+/));
  } catch {
    // A kernel without IPv6 has no such table.
    return [];
  }
}
