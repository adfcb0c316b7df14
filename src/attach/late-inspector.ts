import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { ListeningSocket } from "./listening-sockets.js";
import type { ProcessFacts } from "./process-facts.js";

const CLOSER = fileURLToPath(new URL("./close-late-inspector.js", import.meta.url));

/**
 * Leaves a process behind that closes the inspector of another one, which was asked to open it and has not yet: it will
 * as soon as its main thread comes to it.
 * @param before what it listened on before it was asked
 */
export function closeOnceOpen({ pid, startTime }: ProcessFacts, before: readonly ListeningSocket[]): void {
  const args = [CLOSER, String(pid), startTime ?? "", ...before.map(({ inode }) => inode)];
  const closer = spawn(process.execPath, args, { detached: true, stdio: "ignore", env: {} });
  closer.on("error", () => {});
  closer.unref();
}
