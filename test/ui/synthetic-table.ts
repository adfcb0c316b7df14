import { Category } from "../../src/reporters/flamegraph-data.js";
import type { TableData } from "../../src/reporters/table-data.js";
import { metadata, randomNumbers } from "./synthetic.js";

const VERBS = ["read", "parse", "decode", "build", "insert", "resize", "normalize", "flush", "load", "merge", "emit"];
const NOUNS = ["Row", "Chunk", "Thumbnail", "Index", "Document", "Term", "Page", "Block", "Header", "Scanline"];

/**
 * A table of so many rows, each of a place of its own, from a program with a file for every 200 and a function for every
 * 10 of them. The same for the same arguments.
 */
export function syntheticTable(rows: number, seed = 11): TableData {
  const random = randomNumbers(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const strings = [""];
  const add = (text: string): number => strings.push(text) - 1;
  const files = Array.from({ length: Math.ceil(rows / 200) }, (_, i) => add(`/home/ada/catalog/src/part-${i}/rows.ts`));
  const functions = Array.from({ length: Math.ceil(rows / 10) }, (_, i) => add(`${pick(VERBS)}${pick(NOUNS)}${i}`));
  const sources = Array.from({ length: Math.ceil(rows / 5) }, (_, i) =>
    add(`rows.push(new Uint8Array(${i} * width));`),
  );
  const column = (value: (row: number) => number): Float64Array =>
    Float64Array.from({ length: rows }, (_, row) => value(row));
  const order = Uint32Array.from({ length: rows }, (_, row) => row);
  return {
    kind: "high-water-mark",
    metadata: metadata(),
    splitThreads: false,
    strings,
    threads: ["main", "worker"],
    allocators: ["malloc", "calloc", "mmap"],
    frames: {
      function: Uint32Array.from(order, (row) => functions[Math.floor(row / 10)] as number),
      file: Uint32Array.from(order, (row) => files[Math.floor(row / 200)] as number),
      line: Uint32Array.from(order, (row) => 1 + (row % 200)),
      column: Uint32Array.from(order, () => 1 + Math.floor(random() * 60)),
      category: new Uint8Array(rows).fill(Category.PROGRAM),
      source: Uint32Array.from(order, (row) => sources[Math.floor(row / 5)] as number),
    },
    rows: {
      owner: order,
      allocator: Uint8Array.from(order, () => Math.floor(random() * 3)),
      thread: Uint32Array.from(order, () => Math.floor(random() * 2)),
      frame: order,
      bytes: column(() => Math.ceil(16 * 2 ** (random() * 20))),
      allocations: column(() => 1 + Math.floor(random() ** 4 * 900)),
    },
  };
}
