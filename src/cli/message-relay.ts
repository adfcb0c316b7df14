import type { ChildProcess, SendHandle, SerializationType } from "node:child_process";
import { readFileSync } from "node:fs";

export interface Channel {
  readonly descriptor: number;
  readonly serialization: SerializationType;
}

/**
 * The channel to the process that forked this one, if one did. Node.js takes the variables that tell of it out of
 * process.env as it starts.
 */
export function channelToParent(): Channel | undefined {
  if (process.channel === undefined) return undefined;
  const given = new Map(
    readFileSync("/proc/self/environ", "latin1")
      .split("\0")
      .map((variable) => variable.split("=", 2) as [string, string]),
  );
  const descriptor = Number(given.get("NODE_CHANNEL_FD"));
  const serialization = given.get("NODE_CHANNEL_SERIALIZATION_MODE") === "advanced" ? "advanced" : "json";
  return Number.isInteger(descriptor) ? { descriptor, serialization } : undefined;
}

/**
 * Joins this process's channel to its parent (it was forked) with the one to its child, so that the two talk as if
 * nobody stood between them: messages, with their handles, and the end of the connection.
 */
export function relayMessages(child: ChildProcess): void {
  const unheard = () => {};
  process.on("message", (message: object, handle: SendHandle) => {
    if (child.connected) child.send(message, handle, {}, unheard);
  });
  child.on("message", (message, handle) => {
    if (process.connected) process.send?.(message, handle, {}, unheard);
  });
  process.on("disconnect", () => {
    if (child.connected) child.disconnect();
  });
  child.on("disconnect", () => {
    if (process.connected) process.disconnect();
  });
}
