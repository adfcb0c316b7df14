import { Command, Option } from "commander";
import type { LiveSession as Session } from "../live/live-session.js";
import { checkTerminal, openLiveView } from "./live-view.js";
import { checkWebPort, type LivePageOptions, showLivePage } from "./live-web.js";
import { portNumber } from "./option-values.js";
import { endLike } from "./signals.js";
import { tell } from "./standard-error.js";

interface LiveOptions extends LivePageOptions {
  readonly host: string;
  readonly web: boolean;
}

const EXAMPLES = `
Examples:
  heapray run --live-remote --live-port 5678 server.js   in one terminal: waits for a client
  heapray run --live-remote --live-port 5678 app.py      the same of a Python program
  heapray live 5678                                      in another one: shows its memory as it runs
  heapray live 5678 --host 192.0.2.7
  heapray live 5678 --web                                shows it in the browser
`;

export function liveCommand(): Command {
  return new Command("live")
    .summary("watch a running program's memory, in the terminal or in the browser")
    .description("Show the memory of a program that waits for a client (heapray run --live-remote), as it runs.")
    .argument("<port>", "the port that the program waits on", portNumber)
    .option("--host <address>", "the address that it waits on", "127.0.0.1")
    .option("--web", "serve a page for the browser instead, to this machine alone, and print its address", false)
    .addOption(
      new Option("--web-port <port>", "the port to serve the page on (default: a free one)")
        .argParser(portNumber)
        .implies({ web: true }),
    )
    .addOption(new Option("--open", "open the page in the browser").implies({ web: true }))
    .addHelpText("after", EXAMPLES)
    .action(live);
}

async function live(port: number, { host, web, ...page }: LiveOptions): Promise<void> {
  if (web && page.webPort !== undefined) await checkWebPort(page.webPort);
  if (web) return showLivePage(await connectWaiting(port, host), page);
  checkTerminal();
  const session = await connectWaiting(port, host);
  const quitHelp = "quit; the program goes on, and is tracked no longer";
  const signal = await openLiveView(session, { title: "heapray live", quitHelp }).finally(() => session.close());
  if (signal !== undefined) endLike({ code: null, signal });
}

/**
 * Connects to the program, and waits for it where it does not listen yet.
 * @throws {CaptureError} what listens there is none of heapray's, or the address cannot be reached
 */
async function connectWaiting(port: number, host: string): Promise<Session> {
  const { LiveSession } = await import("../live/live-session.js");
  const onWaiting = (): void => {
    tell(
      `[heapray] no program waits for a client on ${host}, port ${port}; waiting for one (Ctrl-C ends this). ` +
        "Each serves one client, the first that connects.\n",
    );
  };
  return LiveSession.connect({ port, host, timeoutMs: Number.POSITIVE_INFINITY, onWaiting });
}
