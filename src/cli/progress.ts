import { createRequire } from "node:module";
import type * as CliProgress from "cli-progress";

/** Files smaller than this are read before a bar could be seen; bytes. */
const WORTH_A_BAR = 8 * 1024 * 1024;

export interface Progress {
  /** @param done bytes read so far, of `total` */
  update(done: number, total: number): void;
  stop(): void;
}

/** A bar on standard error, drawn only on a terminal and only for work that takes a while. */
export function progressBar(label: string): Progress {
  if (!process.stderr.isTTY) return { update() {}, stop() {} };
  let bar: CliProgress.SingleBar | undefined;
  return {
    update(done, total) {
      if (total < WORTH_A_BAR) return;
      if (!bar) {
        // Loaded here, so that whatever needs no bar starts without it.
        const { SingleBar } = createRequire(import.meta.url)("cli-progress") as typeof CliProgress;
        bar = new SingleBar({
          format: `${label} [{bar}] {percentage}% | {eta_formatted} left`,
          stream: process.stderr,
          clearOnComplete: true,
          hideCursor: true,
        });
        bar.start(total, done);
      }
      bar.update(done);
    },
    stop: () => bar?.stop(),
  };
}
