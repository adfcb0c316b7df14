import path from "node:path";
import type { ProcessFacts } from "./process-facts.js";

/** What can be told from outside of the Python in a process. */
export interface PythonFacts {
  /** The 14 of CPython 3.14; undefined where nothing tells. */
  readonly minor: number | undefined;
  readonly freeThreaded: boolean;
  /** Whether the process runs Python itself, and not a program that has Python in it. */
  readonly isInterpreter: boolean;
}

const INTERPRETER = /^python(?:3(?:\.(\d+)(t?)d?)?)?(?:-dbg)?$/;
const LIBRARY = /^libpython3\.(\d+)(t?)d?\.so/;
/** Modules of the standard library that are machine code. */
const MODULES = /\/python3\.(\d+)(t?)\/lib-dynload\//;

/** Undefined where there is no Python in the process. */
export function pythonOf({ executable = "", mappedFiles }: ProcessFacts): PythonFacts | undefined {
  const interpreter = INTERPRETER.exec(path.basename(executable.replace(/ \(deleted\)$/, "")));
  const files = [...mappedFiles];
  const library = firstMatch(
    files.map((file) => path.basename(file)),
    LIBRARY,
  );
  if (interpreter === null && library === undefined) return undefined;
  const [, minor, threading] = [interpreter, library, firstMatch(files, MODULES)].find((one) => one?.[1]) ?? [];
  return {
    minor: minor === undefined ? undefined : Number(minor),
    freeThreaded: threading === "t",
    isInterpreter: interpreter !== null,
  };
}

function firstMatch(texts: readonly string[], pattern: RegExp): RegExpExecArray | undefined {
  for (const text of texts) {
    const found = pattern.exec(text);
    if (found !== null) return found;
  }
  return undefined;
}
