// What is evaluated in the process, where names may be the program's own: Node.js's modules come from Node.js itself.

/** What the process's own stacks call it. */
export const NAMED = "\n//# sourceURL=heapray-attach";

/** `process`, which programs may have taken away or replaced. */
export const PROCESS = `(globalThis.process?.versions?.modules ? globalThis.process : require("node:process"))`;

export const GET_BUILTIN = `((name) => ${PROCESS}.getBuiltinModule?.(name) ?? require(name))`;

const INSPECTOR = `${GET_BUILTIN}("node:inspector")`;
const TIMERS = `${GET_BUILTIN}("node:timers")`;
/** Turns of the event loop until what was pending before has been done: the first may be half over. */
const TURNS = 3;

/** Loads the modules that are needed for that, before anything is tracked. */
export const PREPARE_TO_CLOSE_INSPECTOR = `void [${INSPECTOR}, ${TIMERS}]${NAMED}`;

/**
 * Ends the conversation, too. Node.js takes SIGUSR1 up twice: wherever its main thread is in its JavaScript, and when its
 * event loop turns; a program that was busy would open its inspector a second time then.
 */
export const CLOSE_INSPECTOR = `(({ url, close }, { setImmediate }) => {
  const closeIn = (turns) => {
    if (url() !== undefined) close();
    if (turns > 0) setImmediate(closeIn, turns - 1);
  };
  setImmediate(closeIn, ${TURNS});
  close();
})(${INSPECTOR}, ${TIMERS})${NAMED}`;

/** {@link TargetVersions} as JSON. */
export const VERSIONS = `(({ versions, version, platform, arch, execPath }) => JSON.stringify({
  modules: versions.modules, node: version, platform, arch, executable: execPath,
  other: ["electron", "bun", "deno"].find((name) => name in versions),
}))(${PROCESS})${NAMED}`;
