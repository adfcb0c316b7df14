import type { AllocationTree } from "../reporters/allocation-tree.js";
import { Screen } from "./screen.js";
import { SourceCode, type SourceLine } from "./source-code.js";
import { paintTree } from "./tree-picture.js";
import { TreeState } from "./tree-state.js";

export interface TreeAppOptions {
  /** What is shown, in a few words. */
  readonly title: string;
  /** Files below it are shown relative to it. */
  readonly cwd: string;
  readonly sourceLine: SourceLine;
  readonly colors: boolean;
}

/**
 * Shows the tree in the terminal until the user quits.
 * @returns whether that was with Ctrl-C
 */
export async function walkTree(tree: AllocationTree, options: TreeAppOptions): Promise<boolean> {
  const state = new TreeState(tree);
  const around = { ...options, source: new SourceCode(options.sourceLine) };
  let interrupted = false;
  const screen = new Screen({
    colors: options.colors,
    paint: (canvas) => paintTree(canvas, state, around),
    onKey(key) {
      const effect = state.press(key);
      interrupted = effect === "interrupt";
      if (effect === "quit" || interrupted) screen.close();
      else if (effect === "changed") screen.redraw();
    },
  });
  await screen.closed;
  return interrupted;
}
