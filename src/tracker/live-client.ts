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
    this.listener = this.#agent.listen({ address: ADDRESS, port });
  }

  /**
   * Whether a client has connected by now.
   * @param user - who may, next to root and this process's own user
   * @throws {Error} it is another user's
   */
  hasConnected(user: number): boolean {
    if (!this.#agent.accept({ listener: this.listener, milliseconds: 0 })) return false;
    const allowed = [ROOT, process.geteuid?.() ?? ROOT, user];
    if (usersConnectedTo(this.port).every((one) => allowed.includes(one))) return true;
    throw new Error("another user of this machine has connected to it first; try again.");
  }
}

/** Whose connections lead to a port of this machine, by the kernel's table of connections. */
function usersConnectedTo(port: number): number[] {
  const remote = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const rows = readFileSync("/proc/self/net/tcp", "latin1").split("\n").slice(1);
  return rows
    .map((row) => row.trim().split(/\s+/))
    .filter((fields) => fields[2]?.endsWith(remote))
    .map((fields) => Number(fields[7]));
}
