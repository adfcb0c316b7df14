import { closeSync, openSync, readSync, statSync } from "node:fs";

/** What the first line of a script says about the Python that runs it. */
export interface PythonShebang {
  /** An absolute path, or a command's name. */
  readonly interpreter: string;
  readonly flags: readonly string[];
}

const LONGEST_BYTES = 1024;

/** Of a script that a Python is named in the first line of; undefined for any other file. */
export function pythonShebang(script: string): PythonShebang | undefined {
  if (!statSync(script, { throwIfNoEntry: false })?.isFile()) return undefined;
  const [first = "", second = ""] = startOf(script).split("\n");
  const words = wordsOf(first, second);
  if (words[0]?.endsWith("/env")) {
    words.shift();
    // -S, and variables.
    while (words[0]?.startsWith("-") || words[0]?.includes("=")) words.shift();
  }
  const [interpreter = "", ...flags] = words;
  return /(?:^|\/)python(?:\d+(?:\.\d+)?)?$/.test(interpreter) ? { interpreter, flags } : undefined;
}

/** pip has a shell start Pythons whose path is too long for a first line, or has spaces in it. */
function wordsOf(first: string, second: string): string[] {
  const [, quoted] = /^#!\s*\/bin\/sh$/.test(first) ? (/^'''exec' "?([^"]+?)"? "\$0" "\$@"/.exec(second) ?? []) : [];
  if (quoted !== undefined) return [quoted];
  return first.startsWith("#!") ? first.slice(2).trim().split(/\s+/) : [];
}

function startOf(file: string): string {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, "r");
    const bytes = Buffer.alloc(LONGEST_BYTES);
    return bytes.toString("utf8", 0, readSync(descriptor, bytes, 0, LONGEST_BYTES, 0));
  } catch {
    // Whoever runs it says so.
    return "";
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
