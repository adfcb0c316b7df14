import type { Frame } from "../capture/records.js";
import { type Disclosure, disclosed } from "./confidential-files.js";
import { categoryOf } from "./flamegraph-category.js";
import { Category, type FrameTable } from "./flamegraph-data.js";

/** The text of a line of a source file, or undefined when it is not known. */
export type SourceLine = (file: string, line: number) => string | undefined;

/** Longer lines are minified code, of which the start says as little as the whole. */
const MAX_SOURCE_CHARACTERS = 240;

/** A frame as a page has it. */
interface FrameRow {
  readonly function: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly category: Category;
}

/** Numbers distinct frames from 0 on, and turns those that a page shows into its table. */
export class FrameNumbers {
  readonly #rows: FrameRow[] = [];
  readonly #ids = new Map<string, Map<string, Map<number, number>>>();
  readonly #threads = new Map<string, number>();

  /** A frame of no place in the program, like a root. */
  addSpecial(name: string, category: Category): number {
    this.#rows.push({ function: name, file: "", line: 0, column: 0, category });
    return this.#rows.length - 1;
  }

  numberOf(frame: Frame): number {
    const ofFunction = inner(inner(this.#ids, frame.file), frame.function);
    const place = frame.line * 2 ** 24 + Math.min(frame.column, 2 ** 24 - 1);
    let id = ofFunction.get(place);
    if (id === undefined) {
      id = this.#rows.length;
      ofFunction.set(place, id);
      const { function: name, file, line, column } = frame;
      this.#rows.push({ function: name, file, line, column, category: categoryOf(frame) });
    }
    return id;
  }

  /** The frame that stands for what a thread allocated without any frames. */
  ofThread(name: string): number {
    let id = this.#threads.get(name);
    if (id === undefined) {
      id = this.addSpecial(`thread: ${name}`, Category.THREAD);
      this.#threads.set(name, id);
    }
    return id;
  }

  get length(): number {
    return this.#rows.length;
  }

  /**
   * @param order the frames of the table's rows
   * @param disclosure what of the files the table may tell
   */
  table(
    order: readonly number[],
    strings: StringList,
    sourceLine: SourceLine | undefined,
    disclosure: Disclosure,
  ): FrameTable {
    const textOf = disclosed(disclosure, sourceLine);
    const rows = order.map((id) => this.#rows[id] as FrameRow);
    const sources = new Map<string, string>();
    const source = (row: FrameRow): string => {
      if (row.line === 0 || row.file === "") return "";
      const key = `${row.line} ${row.file}`;
      let text = sources.get(key);
      if (text === undefined) {
        text = (textOf(row.file, row.line) ?? "").trim().slice(0, MAX_SOURCE_CHARACTERS);
        sources.set(key, text);
      }
      return text;
    };
    return {
      function: Uint32Array.from(rows, (row) => strings.idOf(row.function)),
      file: Uint32Array.from(rows, (row) => strings.idOf(row.file === "" ? "" : disclosure.file(row.file))),
      line: Uint32Array.from(rows, (row) => row.line),
      column: Uint32Array.from(rows, (row) => row.column),
      category: Uint8Array.from(rows, (row) => row.category),
      source: Uint32Array.from(rows, (row) => strings.idOf(source(row))),
    };
  }
}

/** Distinct strings in the order in which they came; string 0 is the empty one. */
export class StringList {
  readonly list: string[] = [""];
  readonly #ids = new Map([["", 0]]);

  idOf(text: string): number {
    let id = this.#ids.get(text);
    if (id === undefined) {
      id = this.list.length;
      this.#ids.set(text, id);
      this.list.push(text);
    }
    return id;
  }
}

/** Numbers names from 0 on. */
export function idOf(ids: Map<string, number>, name: string): number {
  let id = ids.get(name);
  if (id === undefined) {
    id = ids.size;
    ids.set(name, id);
  }
  return id;
}

function inner<K, V>(outer: Map<string, Map<K, V>>, key: string): Map<K, V> {
  let map = outer.get(key);
  if (map === undefined) {
    map = new Map();
    outer.set(key, map);
  }
  return map;
}
