/**
 * Keeps a listener of the process's "exit" event behind all others, so that what they allocate is still recorded.
 * Where that fails (process.exit() in the very turn in which a listener was added), the agent ends the capture by
 * itself, at exit(3).
 */
export function stayLastAtExit(listener: () => void): void {
  const moveBehind = (event: string | symbol, added: unknown) => {
    if (event !== "exit" || added === listener) return;
    process.removeListener("exit", listener);
    queueMicrotask(() => {
      if (followers.has(listener) && !process.listeners("exit").includes(listener)) process.on("exit", listener);
    });
  };
  followers.set(listener, moveBehind);
  process.on("exit", listener);
  process.on("newListener", moveBehind);
}

/** Takes such a listener away again. */
export function leaveExit(listener: () => void): void {
  const moveBehind = followers.get(listener);
  if (moveBehind === undefined) return;
  followers.delete(listener);
  process.removeListener("newListener", moveBehind);
  process.removeListener("exit", listener);
}

const followers = new Map<() => void, (event: string | symbol, added: unknown) => void>();
