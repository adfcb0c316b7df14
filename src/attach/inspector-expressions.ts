// What is evaluated in the process, where names may be the program's own: Node.js's modules come from Node.js itself.

/** What the process's own stacks call it. */
export const NAMED = "\n//# sourceURL=heapray-attach";

export const GET_BUILTIN = "((name) => process.getBuiltinModule ? process.getBuiltinModule(name) : require(name))";

const INSPECTOR = `${GET_BUILTIN}("node:inspector")`;
/** Loads the module that is needed for that, before anything is tracked. */
export const PREPARE_TO_CLOSE_INSPECTOR = `void ${INSPECTOR}${NAMED}`;
/** Ends the conversation, too. */
export const CLOSE_INSPECTOR = `${INSPECTOR}.close()${NAMED}`;

/** {@link TargetVersions} as JSON. */
export const VERSIONS = `JSON.stringify({
  modules: process.versions.modules, node: process.version, platform: process.platform, arch: process.arch,
  other: ["electron", "bun", "deno"].find((name) => name in process.versions),
  executable: process.execPath,
})${NAMED}`;
