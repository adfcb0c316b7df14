import type { SourceMaps } from "./source-maps.js";
import type { ReadText } from "./text-files.js";

const MAX_FILE_CHARACTERS = 16 * 1024 * 1024;
const MAX_CACHED_CHARACTERS = 64 * 1024 * 1024;

/** What ends a line, in JavaScript and in the other languages. */
const LINE_BREAK = /\r\n|\n|\r|\u2028|\u2029/;
const PLAIN_LINE_BREAK = /\r\n|\n|\r/;
const PLAIN_FILE = /\.(?:pyw?|pyx|c|cc|cpp|cxx|h|hh|hpp|hxx|rs)$/;

/**
 * Lines of source files, from the source maps that hold them (what was compiled) or else from the file (what is there now).
 * Texts are kept, the least recently used dropped beyond 64 M characters; longer ones than 16 M are not shown.
 */
export class SourceText {
  readonly #readText: ReadText;
  readonly #maps: SourceMaps | undefined;
  readonly #maxCharacters: number;
  #characters = 0;
  /** By file, least recently used first. */
  readonly #files = new Map<string, { lines: string[] | undefined; characters: number }>();

  constructor(readText: ReadText, maps?: SourceMaps, maxCharacters = MAX_CACHED_CHARACTERS) {
    this.#readText = readText;
    this.#maps = maps;
    this.#maxCharacters = maxCharacters;
  }

  /** The line (1-based) without its line break; undefined where the file or the line is not known. */
  line(file: string, lineNumber: number): string | undefined {
    return this.#linesOf(file)?.[lineNumber - 1];
  }

  #linesOf(file: string): string[] | undefined {
    let entry = this.#files.get(file);
    if (entry !== undefined) {
      this.#files.delete(file);
    } else {
      let text = this.#maps?.content(file) ?? this.#readText(file);
      if (text !== undefined && text.length > MAX_FILE_CHARACTERS) text = undefined;
      entry = {
        lines: text?.split(PLAIN_FILE.test(file) ? PLAIN_LINE_BREAK : LINE_BREAK),
        characters: text?.length ?? 0,
      };
      this.#characters += entry.characters;
    }
    this.#files.set(file, entry);
    for (const [oldest, { characters }] of this.#files) {
      if (this.#characters <= this.#maxCharacters || oldest === file) break;
      this.#files.delete(oldest);
      this.#characters -= characters;
    }
    return entry.lines;
  }
}
