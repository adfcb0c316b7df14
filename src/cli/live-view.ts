import { existsSync } from "node:fs";
import path from "node:path";
import type { CaptureHeader } from "../capture/records.js";
import type { LiveSession } from "../live/live-session.js";
import { CliError } from "./errors.js";
import { checkOutputFile, typed } from "./paths.js";
import { tell } from "./standard-error.js";
import { writeWholeFile } from "./whole-file.js";

export interface LiveViewOptions {
  /** What is shown, in a few words: the command. */
  readonly title: string;
  /** What `q` does; for the keys' help. */
  readonly quitHelp: string;
  /** How the program ended, in words that follow "Remote has disconnected: ", where that is known better than from it. */
  readonly howEnded?: Promise<string>;
}

/** @throws {CliError} there is no terminal to draw on, or none to get keys from */
export function checkTerminal(): void {
  if (process.stdout.isTTY === true && process.stdin.isTTY === true && process.env.TERM !== "dumb") return;
  throw new CliError("the live view needs a terminal to draw on and to get keys from; --web shows it in a browser.");
}

/**
 * Shows a running program's memory in the terminal until the user quits. The session is left as it is.
 * @returns the signal that ended it, SIGINT for Ctrl-C; undefined where it was quit
 */
export async function openLiveView(
  session: LiveSession,
  options: LiveViewOptions,
): Promise<NodeJS.Signals | undefined> {
  const { watchLive } = await import("../terminal/live-app.js");
  const signal = await watchLive(session, {
    ...options,
    colors: !process.env.NO_COLOR,
    save: (html) => save(html, session.header),
  });
  for (const warning of session.state.warnings) tell(`heapray: ${warning}\n`);
  return signal;
}

/** Writes it into the working directory, under a name that nothing there has. */
function save(html: string, header: CaptureHeader): string {
  const file = unusedName(`heapray-flamegraph-${scriptOf(header)}.${header.pid}`, ".html");
  writeWholeFile(checkOutputFile(file, false), (write) => write(html));
  return `Saved ${typed(file)}`;
}

function scriptOf({ commandLine: [, script = "node"] }: CaptureHeader): string {
  return path.basename(script) || "node";
}

function unusedName(name: string, suffix: string): string {
  for (let n = 1; ; n++) {
    const file = `${name}${n === 1 ? "" : `.${n}`}${suffix}`;
    if (!existsSync(file)) return file;
  }
}
