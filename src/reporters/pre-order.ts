/**
 * Numbers of a tree's nodes in pre-order, siblings in the order in which they were made.
 * @param parents of each node; node 0 is the root, and every node comes after its parent
 */
export function preOrder(parents: readonly number[]): Uint32Array {
  const count = parents.length;
  const firstChild = new Int32Array(count).fill(-1);
  const nextSibling = new Int32Array(count).fill(-1);
  for (let node = count - 1; node > 0; node--) {
    const parent = parents[node] as number;
    nextSibling[node] = firstChild[parent] as number;
    firstChild[parent] = node;
  }
  const order = new Uint32Array(count);
  const stack = [0];
  for (let i = 0; i < count; i++) {
    const node = stack.pop() as number;
    order[i] = node;
    const sibling = nextSibling[node] as number;
    if (sibling !== -1) stack.push(sibling);
    const child = firstChild[node] as number;
    if (child !== -1) stack.push(child);
  }
  return order;
}
