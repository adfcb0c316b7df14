/** What the environment of a child carries, so that it is tracked: the preload in NODE_OPTIONS, and its settings. */
export interface ChildEnvironment {
  /** Absolute path of the preload. */
  readonly preload: string;
  /** What HEAPRAY_RUN holds: JSON. */
  readonly settings: string;
}

export const SETTINGS_VARIABLE = "HEAPRAY_RUN";
const OPTIONS_VARIABLE = "NODE_OPTIONS";

export const VARIABLES: readonly string[] = [OPTIONS_VARIABLE, SETTINGS_VARIABLE];

type Environment = Record<string, string | undefined>;

/** Adds to an environment what is not there yet, behind whatever options the user has. */
export function addTo(env: Environment, { preload, settings }: ChildEnvironment): void {
  const options = env[OPTIONS_VARIABLE] ?? "";
  const ours = preloadOption(preload);
  if (!options.includes(ours)) env[OPTIONS_VARIABLE] = options.trim() === "" ? ours : `${options} ${ours}`;
  env[SETTINGS_VARIABLE] = settings;
}

/** Takes out of an environment what {@link addTo} put there. */
export function removeFrom(env: Environment, { preload }: ChildEnvironment): void {
  delete env[SETTINGS_VARIABLE];
  const ours = preloadOption(preload);
  const options = env[OPTIONS_VARIABLE];
  if (!options?.includes(ours)) return;
  const rest = options.replace(` ${ours}`, "").replace(ours, "");
  if (rest.trim() === "") delete env[OPTIONS_VARIABLE];
  else env[OPTIONS_VARIABLE] = rest;
}

/**
 * An environment for a process that is started with these arguments. Under Node.js's permission model the preload could
 * not be read, and the process not start: it is not tracked.
 */
export function environmentFor(args: readonly string[], env: Environment, child: ChildEnvironment): Environment {
  const copy: Environment = {};
  // What an environment inherits counts too: so does Node.js.
  for (const name in env) copy[name] = env[name];
  const options = copy[OPTIONS_VARIABLE] ?? "";
  if ([...args, options].some((text) => PERMISSION_MODEL.test(text))) removeFrom(copy, child);
  else addTo(copy, child);
  return copy;
}

const PERMISSION_MODEL = /(?:^|\s)--(?:experimental-)?permission(?=\s|$)/u;

/** As NODE_OPTIONS spells it; in quotes only where it must be, since Node.js before 12 knows none. */
function preloadOption(preload: string): string {
  const file = /^[^\s"\\]+$/u.test(preload) ? preload : `"${preload.replace(/["\\]/gu, "\\$&")}"`;
  return `--require ${file}`;
}
