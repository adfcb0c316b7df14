import { type ParsedToken, parse } from "sugar-high/core";
import * as c from "sugar-high/lang/c";
import * as cpp from "sugar-high/lang/cpp";
import * as javascript from "sugar-high/lang/javascript";
import * as python from "sugar-high/lang/python";
import * as rust from "sugar-high/lang/rust";
import * as typescript from "sugar-high/lang/typescript";
import { printable } from "../reporters/terminal-text.js";
import type { Span, Style } from "./screen.js";

/** The text of a line of a source file (1-based), or undefined when it is not known. */
export type SourceLine = (file: string, line: number) => string | undefined;

/** Lines that are coloured together: what a line is may be decided far above, as in a comment. */
const BLOCK_LINES = 256;
/** Blocks that are kept. */
const MAX_BLOCKS = 64;
/** Characters of a line that are looked at; longer ones are minified code. */
const MAX_CHARACTERS = 400;
const TAB = "  ";

const LANGUAGES: readonly (readonly [RegExp, object])[] = [
  [/\.[cm]?tsx?$/, typescript],
  [/\.(?:cc|cpp|cxx|hh|hpp|hxx|h|node)$/, cpp],
  [/\.c$/, c],
  [/\.rs$/, rust],
  [/\.pyw?$/, python],
];

const STYLES: Partial<Record<ParsedToken["type"], Style>> = {
  keyword: { color: 204 },
  string: { color: 143 },
  class: { color: 110 },
  property: { color: 117 },
  entity: { color: 114 },
  jsxliterals: { color: 180 },
  sign: { color: 247 },
  comment: { color: 244, dim: true },
};

/** Source files as coloured lines. */
export class SourceCode {
  readonly #line: SourceLine;
  /** By file and first line, the one asked for last at the end. */
  readonly #blocks = new Map<string, (readonly Span[])[]>();

  constructor(line: SourceLine) {
    this.#line = line;
  }

  /** The line in colours; undefined where it is not known. */
  line(file: string, line: number): readonly Span[] | undefined {
    if (line < 1 || file === "") return undefined;
    const first = Math.floor((line - 1) / BLOCK_LINES) * BLOCK_LINES + 1;
    return this.#block(file, first)[line - first];
  }

  #block(file: string, first: number): readonly (readonly Span[])[] {
    const key = `${first}\0${file}`;
    let block = this.#blocks.get(key);
    this.#blocks.delete(key);
    block ??= this.#colour(file, first);
    this.#blocks.set(key, block);
    const [oldest] = this.#blocks.keys();
    if (this.#blocks.size > MAX_BLOCKS && oldest !== undefined) this.#blocks.delete(oldest);
    return block;
  }

  #colour(file: string, first: number): (readonly Span[])[] {
    const before = Math.max(1, first - BLOCK_LINES);
    const lines: string[] = [];
    for (let line = before; line < first + BLOCK_LINES; line++) {
      const text = this.#line(file, line);
      if (text === undefined) break;
      lines.push(printable(text.slice(0, MAX_CHARACTERS).replaceAll("\t", TAB)));
    }
    return coloured(lines, file).slice(first - before);
  }
}

function coloured(lines: readonly string[], file: string): (readonly Span[])[] {
  const [, language = javascript] = LANGUAGES.find(([pattern]) => pattern.test(file)) ?? [];
  const parsed = parse(lines.join("\n"), language).lines;
  return lines.map((text, i) => {
    const spans = (parsed[i]?.tokens ?? []).map(({ type, value }) => span(value, STYLES[type]));
    // Whatever the parser makes of a text, the text is shown.
    return spans.map((one) => one.text).join("") === text ? spans : [{ text }];
  });
}

function span(text: string, style: Style | undefined): Span {
  return style === undefined ? { text } : { text, style };
}
