import { languageOf } from "./language.js";
import type { CaptureHeader } from "./records.js";

const INTERPRETER = /(?:^|\/)(?:python|pypy)[\d.]*[a-z]*$/;
const MEMRAY = /(?:^|\/)memray(?:\/__main__\.py)?$/;
/** Options of Python whose value may be the next argument; those that end them. */
const TAKES_VALUE = /^-[a-zA-Z]*[WX]$|^--check-hash-based-pycs$/;
const IS_PROGRAM = /^-[a-zA-Z]*?([cm])(.*)$/;
/** Of `memray run`. */
const MEMRAY_TAKES_VALUE = /^(?:-o|--output|-p|--live-port)$/;

/**
 * What was run, of a command line: a script as it was typed, the module of `python -m`, or `-c`; undefined where there is
 * nothing of the kind. Captures made by memray tell what it was called with, or what the program was.
 */
export function scriptOf({
  commandLine,
  runtime,
}: Pick<CaptureHeader, "commandLine"> & { readonly runtime: { readonly name: string } }): string | undefined {
  if (languageOf(runtime) === "JavaScript") return commandLine[1];
  const [program = "", ...rest] = commandLine;
  if (INTERPRETER.test(program)) return scriptOfPython(rest);
  if (MEMRAY.test(program) && rest[0] === "run") return scriptOfMemray(rest.slice(1));
  return program === "" ? undefined : program;
}

function scriptOfPython(argv: readonly string[]): string | undefined {
  for (let i = 0; i < argv.length; i++) {
    const argument = argv[i] as string;
    if (!argument.startsWith("-") || argument === "-") return argument;
    if (argument === "--") return argv[i + 1];
    if (TAKES_VALUE.test(argument)) {
      i++;
    } else if (!argument.startsWith("--") && !/^-[a-zA-Z]*[WX]/.test(argument)) {
      const [, flag, module] = IS_PROGRAM.exec(argument) ?? [];
      if (flag !== undefined) return flag === "c" ? "-c" : module || argv[i + 1];
    }
  }
  return undefined;
}

function scriptOfMemray(argv: readonly string[]): string | undefined {
  for (let i = 0; i < argv.length; i++) {
    const argument = argv[i] as string;
    if (argument === "-c") return "-c";
    if (!argument.startsWith("-")) return argument;
    if (MEMRAY_TAKES_VALUE.test(argument)) i++;
  }
  return undefined;
}
