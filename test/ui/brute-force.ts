import type { AllocationRecord, Frame } from "../../src/capture/records.js";
import { categoryOf } from "../../src/reporters/flamegraph-category.js";
import type { Category } from "../../src/reporters/flamegraph-data.js";

/** The call tree as a nested map, built the plainest way: what the flat tables are checked against. */
export interface Plain {
  readonly name: string;
  total: number;
  own: number;
  allocations: number;
  readonly children: Map<string, Plain>;
}

export function nameOf(frame: Frame): string {
  return `${frame.function} ${frame.file}:${frame.line}:${frame.column}`;
}

export function plainTree(records: Iterable<AllocationRecord>, hidden: ReadonlySet<Category> = new Set()): Plain {
  const make = (name: string): Plain => ({ name, total: 0, own: 0, allocations: 0, children: new Map() });
  const root = make("");
  for (const record of records) {
    const frames = record.stackTrace().reverse();
    const shown = frames.filter((frame) => !hidden.has(categoryOf(frame))).map(nameOf);
    let node = root;
    for (const name of frames.length === 0 ? [`thread: ${record.threadName}`] : shown) {
      node.total += record.size;
      node.allocations += record.nAllocations;
      const child = node.children.get(name) ?? make(name);
      node.children.set(name, child);
      node = child;
    }
    node.total += record.size;
    node.allocations += record.nAllocations;
    node.own += record.size;
  }
  return root;
}

/** Sum over the matching nodes that lie below no other match. */
export function plainSearch(tree: Plain, matches: (name: string) => boolean): number {
  if (tree.name !== "" && matches(tree.name)) return tree.total;
  let sum = 0;
  for (const child of tree.children.values()) sum += plainSearch(child, matches);
  return sum;
}
