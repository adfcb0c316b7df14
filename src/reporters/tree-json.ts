import type { AllocationTree } from "./allocation-tree.js";

/**
 * The whole tree as JSON, in pieces that end with a newline: nodes in a list, callers before what they called, since
 * stacks are deeper than readers of JSON go. Sizes are bytes.
 */
export function* treeJson(tree: AllocationTree, kind: string): Generator<string, void, undefined> {
  const { root, elided, biggest, nodes } = tree;
  const head = {
    kind,
    bytes: root.bytes,
    n_allocations: root.allocations,
    biggest_allocs: biggest,
    elided: { n_locations: elided.locations, bytes: elided.bytes, n_allocations: elided.allocations },
  };
  yield `${JSON.stringify(head, undefined, 2).slice(0, -2)},\n  "nodes": [\n`;
  for (const node of nodes) {
    const { id, parent, function: name, file, line, bytes, allocations, thread, interesting, importSystem } = node;
    const row = {
      id,
      parent: parent?.id ?? null,
      function: name,
      file,
      line,
      bytes,
      n_allocations: allocations,
      thread,
      interesting,
      import_system: importSystem,
    };
    yield `    ${JSON.stringify(row)}${id === nodes.length - 1 ? "" : ","}\n`;
  }
  yield "  ]\n}\n";
}
