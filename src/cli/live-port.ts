import { type AddressInfo, connect, createServer } from "node:net";
import { CliError } from "./errors.js";
import { commandLine } from "./invocation.js";

const ADDRESS = "127.0.0.1";

/**
 * A port of this machine that the program can wait for a client on.
 * @param wanted the only one that will do; any free one unless told
 * @throws {CliError} it is taken, or not permitted
 */
export async function livePort(wanted?: number): Promise<number> {
  if (wanted === undefined) return freePort();
  const code = await bindError(wanted);
  if (code === undefined) return wanted;
  const reason = { EADDRINUSE: "another program uses it", EACCES: "it is for privileged users" }[code] ?? code;
  throw new CliError(`the program cannot wait for a client on port ${wanted}: ${reason}; give another --live-port.`);
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.on("error", (error) => reject(new CliError(`there is no free port: ${error.message}.`)));
    server.listen(0, ADDRESS, () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

/**
 * Why a port cannot be used; undefined where it can. Takes it for a moment, without listening: a client that waits for
 * the program to listen must not meet this instead.
 */
function bindError(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    // Connecting anywhere takes it; whether anybody is there does not matter.
    const probe = connect({ host: ADDRESS, port: port === 1 ? 2 : 1, localAddress: ADDRESS, localPort: port });
    let found: string | undefined;
    probe.on("connect", () => probe.resetAndDestroy());
    probe.on("error", ({ code }: NodeJS.ErrnoException) => {
      if (code === "EADDRINUSE" || code === "EACCES" || code === "EADDRNOTAVAIL") found = code;
    });
    probe.on("close", () => resolve(found));
  });
}

/** What to do while the program waits for a client. */
export function howToConnect(port: number): string {
  return (
    `[heapray] the program waits for a client on ${ADDRESS}, port ${port}; to see its memory as it runs, type in another terminal:\n\n` +
    `  ${commandLine()} live ${port}\n\n`
  );
}
