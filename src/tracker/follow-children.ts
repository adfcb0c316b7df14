import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { packageRoot } from "./binding.js";
import { addTo, type ChildEnvironment, environmentFor, removeFrom, VARIABLES } from "./child-environment.js";
import { packageFolder } from "./package-folder.js";

// Children inherit the process's environment, so what they need stands there, for whatever starts them. Where the
// program gives a child an environment of its own, it is added on the way: node:child_process is wrapped for that.

type ChildProcessModule = typeof import("node:child_process");
interface SpawnOptions {
  args?: unknown;
  /** `NAME=value` */
  envPairs?: unknown;
}

const SYNCHRONOUS = ["spawnSync", "execFileSync", "execSync"] as const;

let following: ChildEnvironment | undefined;
let wrapped = false;

/**
 * Has the Node.js processes that this one starts from now on tracked.
 * @param settings what they find in HEAPRAY_RUN
 * @returns false where they are already, because this process is itself a child that is followed
 */
export function followChildren(settings: string): boolean {
  // A process that is followed itself hands on what it was given.
  if (following !== undefined) return false;
  const preload = path.join(packageRoot(packageFolder()), "dist/preload.cjs");
  // Without it the children would not start.
  if (!existsSync(preload)) return false;
  following = { preload, settings };
  addTo(process.env, following);
  wrapChildProcess();
  return true;
}

/** Lets those that start from now on be. */
export function leaveChildren(): void {
  if (following === undefined) return;
  removeFrom(process.env, following);
  following = undefined;
}

/** Wraps once, for good: other wrappers may have been put around these since. They do nothing when nobody follows. */
function wrapChildProcess(): void {
  if (wrapped) return;
  wrapped = true;
  // Loaded here, since a program that is tracked alone need not have it.
  const require = createRequire(import.meta.url);
  const childProcess = require("node:child_process") as ChildProcessModule;
  wrapSpawn(childProcess.ChildProcess.prototype as unknown as { spawn(options: SpawnOptions): unknown });
  for (const name of SYNCHRONOUS) wrapSynchronous(childProcess, name);
  (require("node:module") as typeof import("node:module")).syncBuiltinESMExports();
}

/** The one place that spawn, fork, exec, execFile and cluster come through, however the program got hold of them. */
function wrapSpawn(prototype: { spawn(options: SpawnOptions): unknown }): void {
  const original = prototype.spawn;
  replace(prototype, "spawn", function spawn(this: unknown, options: SpawnOptions, ...rest: unknown[]) {
    const pairs = options?.envPairs;
    if (following === undefined || !isStrings(pairs)) return Reflect.apply(original, this, [options, ...rest]);
    options.envPairs = withVariables(pairs, isStrings(options.args) ? options.args : [], following);
    try {
      return Reflect.apply(original, this, [options, ...rest]);
    } finally {
      options.envPairs = pairs;
    }
  });
}

/** These share no such place. Arguments: the command or file, perhaps a list, perhaps options. */
function wrapSynchronous(childProcess: ChildProcessModule, name: (typeof SYNCHRONOUS)[number]): void {
  const original = childProcess[name] as (...args: unknown[]) => unknown;
  const replacement = function (this: unknown, ...args: unknown[]): unknown {
    return Reflect.apply(original, this, following === undefined ? args : withEnvironment(args, following));
  };
  Object.defineProperties(replacement, {
    name: { value: original.name, configurable: true },
    length: { value: original.length, configurable: true },
  });
  replace(childProcess, name, replacement);
}

function withEnvironment(args: unknown[], child: ChildEnvironment): unknown[] {
  const texts = args.flat().filter((arg) => typeof arg === "string");
  const at = args.findIndex((arg, i) => i > 0 && isObject(arg) && !Array.isArray(arg));
  const options = at < 0 ? {} : (args[at] as { readonly env?: unknown });
  const given = (isObject(options.env) ? options.env : process.env) as NodeJS.ProcessEnv;
  const env = environmentFor(texts, given, child);
  if (VARIABLES.every((name) => env[name] === given[name])) return args;
  if (at >= 0) return args.with(at, { ...options, env });
  return [...args.filter((arg, i) => i === 0 || Array.isArray(arg)), { env }];
}

/** Pairs of `NAME=value`, for a process with these arguments. */
function withVariables(pairs: readonly string[], args: readonly string[], child: ChildEnvironment): string[] {
  const given: NodeJS.ProcessEnv = {};
  const others: string[] = [];
  for (const pair of pairs) {
    const name = VARIABLES.find((variable) => pair.startsWith(`${variable}=`));
    if (name === undefined) others.push(pair);
    else given[name] = pair.slice(name.length + 1);
  }
  const env = environmentFor(args, given, child);
  return [...others, ...Object.entries(env).map(([name, value]) => `${name}=${value}`)];
}

/** As it was, but for its value: not enumerable where it was not. */
function replace<T extends object>(target: T, name: keyof T, value: unknown): void {
  Object.defineProperty(target, name, { ...Object.getOwnPropertyDescriptor(target, name), value });
}

function isStrings(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
