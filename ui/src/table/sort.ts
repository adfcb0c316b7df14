import type { TableData } from "../../../src/reporters/table-data.js";
import { displayPath } from "../model/names.js";
import { countingSort, type Rows } from "./group.js";

export type ColumnName = "bytes" | "allocations" | "allocator" | "thread" | "function" | "location" | "source";

export interface SortOrder {
  readonly column: ColumnName;
  readonly descending: boolean;
}

/** What a click on a column's head sorts by first: numbers from the largest, texts from A. */
export function firstOrder(column: ColumnName): SortOrder {
  return { column, descending: column === "bytes" || column === "allocations" };
}

/** Sorts the rows of one table, again and again: what can be kept from one time to the next is. */
export class RowSorter {
  readonly #data: TableData;
  readonly #ranks = new Map<Uint32Array, Uint32Array>();

  constructor(data: TableData) {
    this.#data = data;
  }

  /** The rows' numbers in the order asked for; among equals, the largest first. */
  order(rows: Rows, { column, descending }: SortOrder): Uint32Array {
    let order = new Uint32Array(rows.length);
    for (let row = 0; row < order.length; row++) order[row] = row;
    order = radixSort(order, rows.bytes, true);
    if (column === "bytes") return descending ? order : order.reverse();
    if (column === "location") {
      // By path, and in a file by line.
      order = radixSort(order, this.#ofFrames(rows, this.#data.frames.line), descending);
    }
    return radixSort(order, this.#key(rows, column), descending);
  }

  #key(rows: Rows, column: ColumnName): ArrayLike<number> {
    const { frames } = this.#data;
    switch (column) {
      case "bytes":
      case "allocations":
        return rows[column];
      case "allocator":
        return pick(rows.allocator, rank(this.#data.allocators));
      case "thread":
        return pick(rows.thread, rank(this.#data.threads));
      case "function":
        return this.#ofFrames(rows, this.#ranksOf(frames.function));
      case "source":
        return this.#ofFrames(rows, this.#ranksOf(frames.source));
      case "location":
        return this.#ofFrames(rows, this.#ranksOf(frames.file));
    }
  }

  #ofFrames(rows: Rows, values: Uint32Array): Uint32Array {
    return pick(rows.frame, values);
  }

  /** For each frame, the rank of what a column of strings says of it; paths are ranked as they are shown. */
  #ranksOf(column: Uint32Array): Uint32Array {
    let ranks = this.#ranks.get(column);
    if (!ranks) {
      const { strings, frames, metadata } = this.#data;
      const shown = column === frames.file ? (path: string) => displayPath(path, metadata.cwd) : (text: string) => text;
      const used = [...new Set(column)];
      const rankOfUsed = rank(used.map((id) => shown(strings[id] ?? "")));
      const rankOf = new Uint32Array(strings.length);
      for (const [i, id] of used.entries()) rankOf[id] = rankOfUsed[i] as number;
      ranks = pick(column, rankOf);
      this.#ranks.set(column, ranks);
    }
    return ranks;
  }
}

function pick(keys: ArrayLike<number>, values: Uint32Array): Uint32Array {
  const picked = new Uint32Array(keys.length);
  for (let i = 0; i < picked.length; i++) picked[i] = values[keys[i] as number] as number;
  return picked;
}

/** Each text's place in the alphabet, whatever its case; empty texts come last. */
function rank(texts: readonly string[]): Uint32Array {
  const folded = texts.map((text) => text.toLowerCase());
  const order = Uint32Array.from(texts, (_, i) => i);
  order.sort((a, b) => {
    const [x, y] = [folded[a] as string, folded[b] as string];
    if (x === "" || y === "") return x === y ? 0 : x === "" ? 1 : -1;
    return x < y ? -1 : x > y ? 1 : 0;
  });
  const ranks = new Uint32Array(texts.length);
  let last = 0;
  for (let i = 0; i < order.length; i++) {
    if (i > 0 && folded[order[i] as number] !== folded[order[i - 1] as number]) last++;
    ranks[order[i] as number] = last;
  }
  return ranks;
}

const DIGIT = 2 ** 16;

/** Sorts rows by whole numbers, digit by digit; rows of one number keep their order. */
export function radixSort(
  order: Uint32Array<ArrayBuffer>,
  key: ArrayLike<number>,
  descending: boolean,
): Uint32Array<ArrayBuffer> {
  let most = 0;
  for (let row = 0; row < key.length; row++) most = Math.max(most, key[row] as number);
  const digit = new Uint16Array(key.length);
  let sorted = order;
  for (let unit = 1; unit <= most; unit *= DIGIT) {
    for (let row = 0; row < key.length; row++) {
      const value = Math.floor((key[row] as number) / unit) % DIGIT;
      digit[row] = descending ? DIGIT - 1 - value : value;
    }
    sorted = countingSort(sorted, digit, DIGIT);
  }
  return sorted;
}
