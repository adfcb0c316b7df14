import type { SourceMaps } from "./source-maps.js";
import { SourceText } from "./source-text.js";
import type { ReadText } from "./text-files.js";

/** Where a function stands in the code that ran: V8 counts it from its parameters on. Line and column are 1-based. */
export interface FunctionStart {
  readonly script: string;
  /** What the script's `sourceMappingURL` comment says; "" for none. */
  readonly sourceMapUrl: string;
  readonly line: number;
  readonly column: number;
}

/** What may stand between a function's name and its parameters: `=`, `:`, `async`, `function*`. */
const BETWEEN = /^\s*(?:[=:]\s*)?(?:async\b\s*)?(?:function\b\s*\*?\s*)?$/;
/** Longer distances are no name's. */
const LONGEST_BETWEEN = 40;
/** A method's computed name, right before its parameters. */
const COMPUTED_NAME = /\[[^[\]]+\]\s*$/;
const ANONYMOUS = "<anonymous>";

/**
 * The names that functions have in their source: a minifier's are mapped back where the source map has the original
 * ones, and methods whose name is computed are called by that expression, `[Symbol.iterator]`, for V8 keeps no name.
 */
export class FunctionNames {
  readonly #maps: SourceMaps | undefined;
  /** The code that ran, not its sources. */
  readonly #code: SourceText;

  constructor(readText: ReadText, maps?: SourceMaps) {
    this.#maps = maps;
    this.#code = new SourceText(readText);
  }

  /** The name of a function that V8 calls `name`. */
  of(name: string, { script, sourceMapUrl, line, column }: FunctionStart): string {
    if (line < 1 || column < 2) return name;
    if (name !== ANONYMOUS && (sourceMapUrl === "" || name.startsWith("<"))) return name;
    const before = this.#code.line(script, line)?.slice(0, column - 1);
    // A name with a dot is V8's own guess, `object.property`; no map tells of it as a whole.
    if (before === undefined || name.includes(".")) return name;
    if (name === ANONYMOUS) return COMPUTED_NAME.exec(before.slice(-200))?.[0].trim() ?? name;
    const at = placeOf(name, before);
    if (at === undefined) return name;
    return this.#maps?.originalName(script, sourceMapUrl, line, at + 1) ?? name;
  }
}

/** Where the name stands that the text's end gives to a function. A short one may occur in `function` as well. */
function placeOf(name: string, text: string): number | undefined {
  const first = Math.max(0, text.length - name.length - LONGEST_BETWEEN);
  for (let at = text.lastIndexOf(name); at >= first; at = text.lastIndexOf(name, at - 1)) {
    if (BETWEEN.test(text.slice(at + name.length))) return at;
    if (at === 0) break;
  }
  return undefined;
}
