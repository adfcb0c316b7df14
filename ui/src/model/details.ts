import { type FlameGraphData, MemoryKind } from "../../../src/reporters/flamegraph-data.js";
import { type CallTree, counts, type TreeOptions } from "./tree.js";

/** What lies below a node, told apart; only the memory that the options count. */
export interface Composition {
  readonly nativeBytes: number;
  readonly heapPageBytes: number;
  /** Of sampled objects of the JavaScript heap. */
  readonly jsBytes: number;
  /** Of Python's own allocator. */
  readonly pythonBytes: number;
  /** Threads by name, the one with most bytes first. */
  readonly threads: readonly { readonly name: string; readonly bytes: number }[];
}

export function compositionOf(data: FlameGraphData, tree: CallTree, options: TreeOptions, node: number): Composition {
  const inside = new Uint8Array(tree.size);
  inside[node] = 1;
  for (let i = node + 1; i < tree.size; i++) inside[i] = inside[tree.parent[i] as number] as number;
  const { weights } = data;
  let nativeBytes = 0;
  let heapPageBytes = 0;
  let jsBytes = 0;
  let pythonBytes = 0;
  const threads = new Map<number, number>();
  for (let i = 0; i < weights.node.length; i++) {
    const at = tree.nodeOf[weights.node[i] as number] as number;
    if (at === -1 || inside[at] === 0 || !counts(data, options, i)) continue;
    const bytes = weights.bytes[i] as number;
    // Of another range of time.
    if (bytes === 0 && weights.allocations[i] === 0) continue;
    if (weights.kind[i] === MemoryKind.HEAP_PAGES) heapPageBytes += bytes;
    else if (weights.kind[i] === MemoryKind.JS) jsBytes += bytes;
    else if (weights.kind[i] === MemoryKind.PYTHON) pythonBytes += bytes;
    else nativeBytes += bytes;
    const thread = weights.thread[i] as number;
    threads.set(thread, (threads.get(thread) ?? 0) + bytes);
  }
  return {
    nativeBytes,
    heapPageBytes,
    jsBytes,
    pythonBytes,
    threads: [...threads]
      .sort((a, b) => b[1] - a[1])
      .map(([thread, bytes]) => ({ name: data.threads[thread] ?? "", bytes })),
  };
}
