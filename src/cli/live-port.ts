import { type AddressInfo, createServer } from "node:net";
import { CliError } from "./errors.js";

const ADDRESS = "127.0.0.1";

/**
 * A port of this machine that the program can wait for a client on.
 * @param wanted the only one that will do; any free one unless told
 * @throws {CliError} it is taken, or not permitted
 */
export function livePort(wanted = 0): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", (error: NodeJS.ErrnoException) => {
      const reason = error.code === "EADDRINUSE" ? "another program listens there" : error.message;
      reject(
        new CliError(`the program cannot wait for a client on port ${wanted}: ${reason}; give another --live-port.`),
      );
    });
    server.listen({ port: wanted, host: ADDRESS, exclusive: true }, () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

/** What to do while the program waits for a client. */
export function howToConnect(port: number): string {
  return (
    `[heapray] the program waits for a client on ${ADDRESS}, port ${port}; to see its memory as it runs, connect from another one:\n\n` +
    '  import { SocketReader } from "heapray";\n' +
    `  const reader = new SocketReader({ port: ${port} });\n` +
    "  await reader.connect();\n\n"
  );
}
