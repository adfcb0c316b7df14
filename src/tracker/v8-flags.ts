import type { Agent } from "./binding.js";

/**
 * Has V8 keep exact source positions for the code that it compiles from now on.
 * @param ofObjects - of the objects too that compiled code allocates
 */
export function keepExactPositions(agent: Agent, ofObjects: boolean): void {
  agent.setV8Flags({ flags: exactPositionFlags(ofObjects) });
}

/** The flags for that, as on the command line. */
export function exactPositionFlags(ofObjects: boolean): string {
  const { v8 } = process.versions;
  return [...flagsFor(v8), ...(ofObjects ? flagsForObjects(v8) : [])].join(" ");
}

/** The flags by which compiled code allocates each object by itself, instead of several of different lines at once. */
export function flagsForObjects(v8: string): string[] {
  const [major = 0, minor = 0] = v8.split(".").map(Number);
  const flags = ["--no-turbo-allocation-folding"];
  if (major > 13 || (major === 13 && minor >= 6)) flags.push("--maglev-allocation-folding=0");
  return flags;
}

/**
 * The flags that a V8 needs to keep exact positions; none that it does not know, since it would complain.
 * @param v8 - its version, like `13.6.233.17-node.53`
 */
export function flagsFor(v8: string): string[] {
  const [major = 0, minor = 0, , , node = 0] = v8.split(/\.|-node\./u).map(Number);
  // Positions are put off by default; asking for them later could collect garbage, which malloc must not.
  const flags = ["--no-enable-lazy-source-positions"];
  if (major < 12 || (major === 12 && minor < 4)) return flags;
  // A call that Maglev inlines in a peeled iteration has the loop's position instead of its own.
  flags.push("--no-maglev-loop-peeling");
  // Maglev's code had no positions at all before; found by trying releases of Node.js 22 to 24.
  if (major < 13 || (major === 13 && node < 53)) flags.push("--no-maglev");
  return flags;
}
