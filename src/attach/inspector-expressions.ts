// What is evaluated in the process, where names may be the program's own: Node.js's modules come from Node.js itself.

/** What the process's own stacks call it. */
export const NAMED = "\n//# sourceURL=heapray-attach";

/** `process`, which programs may have taken away or replaced. */
export const PROCESS = `(globalThis.process?.versions?.modules ? globalThis.process : require("node:process"))`;

export const GET_BUILTIN = `((name) => ${PROCESS}.getBuiltinModule?.(name) ?? require(name))`;

const INSPECTOR = `${GET_BUILTIN}("node:inspector")`;
/** Loads the module that is needed for that, before anything is tracked. */
export const PREPARE_TO_CLOSE_INSPECTOR = `void ${INSPECTOR}${NAMED}`;
/** Ends the conversation, too. */
export const CLOSE_INSPECTOR = `${INSPECTOR}.close()${NAMED}`;

/** {@link TargetVersions} as JSON. */
export const VERSIONS = `(({ versions, version, platform, arch, execPath }) => JSON.stringify({
  modules: versions.modules, node: version, platform, arch, executable: execPath,
  other: ["electron", "bun", "deno"].find((name) => name in versions),
}))(${PROCESS})${NAMED}`;
