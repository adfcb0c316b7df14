import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import type { LiveSession } from "../live/live-session.js";
import { CliError } from "./errors.js";
import { INTERRUPTS } from "./signals.js";
import { tell } from "./standard-error.js";
import { print } from "./standard-output.js";

export interface LivePageOptions {
  /** Any free one unless told. */
  readonly webPort?: number | undefined;
  /** Whether to open the page in a browser. */
  readonly open?: boolean | undefined;
}

/**
 * Serves the live page of a session, and ends both at Ctrl-C. Once the program is gone, the page stays.
 * @param close ends the session
 * @throws {CliError} the port is taken, or not permitted
 */
export async function showLivePage(
  session: LiveSession,
  options: LivePageOptions,
  close: () => Promise<void> = () => session.close(),
): Promise<void> {
  await servePage(session, options).finally(close);
}

async function servePage(session: LiveSession, { webPort, open }: LivePageOptions): Promise<void> {
  const [{ PageServer }, { sessionSource }, { readPage }] = await Promise.all([
    import("../live/web/page-server.js"),
    import("../live/web/session-source.js"),
    import("../reporters/report-page.js"),
  ]);
  const page = { source: sessionSource(session), page: readPage("live") };
  const server = await PageServer.listen(webPort === undefined ? page : { ...page, port: webPort }).catch(
    (error: NodeJS.ErrnoException) => {
      throw portError(webPort, error);
    },
  );
  print(
    `${server.url}\nis the live page of process ${session.header.pid}. Ctrl-C ends heapray; the program goes on untracked.\n`,
  );
  let told = false;
  const stop = session.onChange(() => {
    if (session.end === undefined || told) return;
    told = true;
    tell(`Remote has disconnected: ${session.end.sentence} The page stays until Ctrl-C.\n`);
  });
  const opened = open ? openPage(server.url) : undefined;
  try {
    await interrupted();
  } finally {
    opened?.();
    stop();
    await server.close();
  }
}

/** @throws {CliError} the page cannot be served there */
export async function checkWebPort(port: number): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.on("error", (error) => reject(portError(port, error)));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve()));
  });
}

function portError(port: number | undefined, { code, message }: NodeJS.ErrnoException): Error {
  const reason = { EADDRINUSE: "another program uses it", EACCES: "it is for privileged users" }[code ?? ""] ?? message;
  if (port === undefined) return new CliError(`the live page cannot be served: ${message}.`);
  return new CliError(`the live page cannot be served on port ${port}: ${reason}; give another --web-port.`);
}

function interrupted(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of INTERRUPTS) process.once(signal, () => resolve());
  });
}

/**
 * Opens the page by a file that leads there: everybody may see a process's arguments, and the page's token is nobody
 * else's business.
 * @returns what takes the file away
 */
function openPage(url: string): () => void {
  const folder = mkdtempSync(path.join(tmpdir(), "heapray-live-"));
  const file = path.join(folder, "live.html");
  writeFileSync(file, `<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0;url=${url}">`, {
    mode: 0o600,
  });
  const child = spawn("xdg-open", [pathToFileURL(file).href], { stdio: "ignore", detached: true });
  child.on("error", () => tell("heapray: there is no xdg-open to open the page with; open the address above.\n"));
  child.unref();
  return () => rmSync(folder, { recursive: true, force: true });
}
