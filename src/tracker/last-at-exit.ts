/**
 * Keeps a listener of the process's "exit" event behind all others, so that what they allocate is still recorded.
 * Where that fails (process.exit() in the very turn in which a listener was added), the agent ends the capture by
 * itself, at exit(3).
 */
export function stayLastAtExit(listener: () => void): void {
  Object.defineProperty(listener, OURS, { value: true });
  const moveBehind = (event: string | symbol, added: unknown) => {
    if (event !== "exit" || isOurs(added)) return;
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

/**
 * Marks such listeners, also those of another copy of this module (heapray's own next to the program's): if each stayed
 * behind the other, neither would ever come to rest.
 */
const OURS = Symbol.for("heapray.lastAtExit");

function isOurs(listener: unknown): boolean {
  return typeof listener === "function" && OURS in listener;
}

const followers = new Map<() => void, (event: string | symbol, added: unknown) => void>();
