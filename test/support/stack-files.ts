/** A stack, outermost first, by what its frames are called, and its bytes. */
export type HeldStack = [stack: string[], bytes: number];

export interface HeapNode {
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  readonly selfSize: number;
  readonly id: number;
  readonly children: readonly HeapNode[];
}

/** Reads the stacks of a file, independently of what writes it. */
export const STACK_FILES: Readonly<
  Record<"collapsed" | "gprof2dot" | "speedscope" | "heapprofile", (file: string) => HeldStack[]>
> = {
  collapsed: (file) =>
    file.split("\n").flatMap((line) => {
      const [, stack, bytes] = /^(.*) (\d+)$/.exec(line) ?? [];
      return stack === undefined ? [] : [[stack.split(";"), Number(bytes)]];
    }),
  gprof2dot(file) {
    const { functions, events } = JSON.parse(file);
    return events.map(({ callchain, cost }: { callchain: number[]; cost: [number] }) => [
      callchain.toReversed().map((id) => functions[id].name),
      cost[0],
    ]);
  },
  speedscope(file) {
    const { shared, profiles } = JSON.parse(file);
    return profiles[0].samples.map((sample: number[], i: number) => [
      sample.map((id) => shared.frames[id].name),
      profiles[0].weights[i],
    ]);
  },
  heapprofile(file) {
    const stacks: [string[], number][] = [];
    const walk = (node: HeapNode, path: string[]): void => {
      if (node.selfSize > 0) stacks.push([path, node.selfSize]);
      for (const child of node.children) walk(child, [...path, child.callFrame.functionName]);
    };
    walk(JSON.parse(file).head, []);
    return stacks;
  },
};

export function totalOf(stacks: readonly HeldStack[]): number {
  return stacks.reduce((sum, [, bytes]) => sum + bytes, 0);
}
