import type { Agent, Listener } from "./binding.js";
import type { SocketDestination } from "./destinations.js";
import { SocketInterruptedError, SocketListenError } from "./errors.js";

/** Between two waits, a worker thread can be terminated. */
const WAIT_MS = 100;

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: "another program listens there; choose another port",
  EACCES: "ports below 1024 are for privileged users; choose another one",
  EADDRNOTAVAIL: "this machine does not have that address",
  EAI_NONAME: "there is no such address",
};

/**
 * Listens, and waits in this thread until a client has connected.
 * @throws {SocketListenError}
 * @throws {SocketInterruptedError} a signal came that the program handles; others end the process as ever
 */
export function waitForClient(agent: Agent, { address, serverPort }: SocketDestination): Listener {
  try {
    const listener = agent.listen({ address, port: serverPort, blocked: true });
    while (!agent.accept({ listener, milliseconds: WAIT_MS }));
    return listener;
  } catch (error) {
    const { code = "unknown", message } = error as { code?: string; message: string };
    if (code === "INTERRUPTED") throw new SocketInterruptedError(address, serverPort, message);
    throw new SocketListenError(address, serverPort, code, REASONS[code] ?? message);
  }
}
