import { readlinkSync } from "node:fs";
import * as threads from "node:worker_threads";

/** Whether this is the process's main thread. The kernel tells at once, node:worker_threads takes milliseconds to load. */
export function isMainThread(): boolean {
  try {
    const [process, , thread] = readlinkSync("/proc/thread-self").split("/");
    return process === thread;
  } catch {
    return threads.isMainThread;
  }
}
