/** The arrows between the rooms: cli -> reporters -> analysis -> capture; only the tracker knows the native binding. */

/** @type {(from: string, to: string, comment: string) => import("dependency-cruiser").IForbiddenRuleType} */
const no = (from, to, comment) => ({
  name: `not-${from}-to-${to.replaceAll("|", "-")}`,
  severity: "error",
  comment,
  from: { path: `^(src/)?${from}/` },
  to: { path: `^(src/)?(${to})(/|\\.)` },
});

/** @type {import("dependency-cruiser").IConfiguration} */
module.exports = {
  forbidden: [
    no("src/capture", "analysis|symbols|reporters|live|terminal|cli|tracker", "The format's reader stands alone."),
    no("src/analysis", "reporters|live|terminal|cli|tracker", "Analysis knows captures only."),
    no("src/attach", "cli|terminal|live|reporters|analysis", "Attaching knows processes only."),
    no("src/symbols", "analysis|reporters|live|terminal|cli|tracker", "Symbols know records only."),
    no("src/reporters", "live|terminal|cli|tracker", "A report can be made on any machine."),
    no("src/live", "terminal|cli|tracker", "A live session can be shown by anything."),
    no("src/terminal", "cli|tracker", "A terminal shows what it is given."),
    no(
      "src/tracker",
      "cli|terminal|live|reporters|analysis|symbols|ui",
      "The tracked process loads the tracker and nothing else.",
    ),
    no("ui", "tracker|live|terminal|cli", "The page runs in a browser."),
    {
      name: "native-binding-from-tracker-only",
      severity: "error",
      comment: "A capture can be read wherever JavaScript runs.",
      from: { pathNot: "^src/tracker/" },
      to: { path: "\\.node$|^(native|build)/" },
    },
    {
      name: "not-into-cli",
      severity: "error",
      comment: "The command line is the top.",
      from: { path: "^(src|ui)/", pathNot: "^src/cli/" },
      to: { path: "^src/cli/" },
    },
    {
      name: "no-circular",
      severity: "error",
      comment: "Cycles of types alone do no harm when modules load.",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    {
      name: "no-unresolvable",
      severity: "error",
      from: {},
      to: { couldNotResolve: true, pathNot: "\\.node$|^\\./preload-process\\.cjs$" },
    },
    {
      name: "shipped-code-uses-shipped-dependencies",
      severity: "error",
      comment: "dist/ is installed without the development dependencies.",
      from: { path: "^src/" },
      to: { dependencyTypes: ["npm-dev"], dependencyTypesNot: ["type-only"] },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "node", "default", "types"] },
  },
};
