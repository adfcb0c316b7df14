import type { CaptureTables } from "../capture/tables.js";
import { runsProgram } from "./python-files.js";

/** Of a stack node: the runner is innermost of Python's frames, or the program. Until there are any, it is 0. */
const RUNNER = 1;
const PROGRAM = 2;

/**
 * Takes what runs a Python program off the outer ends of its stacks, as memray does: the program's own frames become
 * outermost. What the runner allocates itself keeps its stacks.
 */
export class RunnerFrames {
  readonly #tables: CaptureTables;
  #state = new Uint8Array(0);
  /** Nodes that were looked at; the root is one. */
  #seen = 1;
  /** By physical frame. */
  readonly #runs = new Map<number, boolean>();

  constructor(tables: CaptureTables) {
    this.#tables = tables;
  }

  /** Looks at the nodes that were defined since the last call. */
  follow(): void {
    const tables = this.#tables;
    const { nodeParent, nodeFrame } = tables;
    const { length } = nodeParent;
    if (this.#state.length < length) {
      const state = new Uint8Array(Math.max(length, 2 * this.#state.length));
      state.set(this.#state);
      this.#state = state;
    }
    for (let node = this.#seen; node < length; node++) {
      const above = this.#state[nodeParent.at(node)] as number;
      const frame = nodeFrame.at(node);
      if (above === PROGRAM || tables.isNative(frame)) {
        this.#state[node] = above;
      } else if (this.#isRunner(frame)) {
        this.#state[node] = RUNNER;
      } else {
        this.#state[node] = PROGRAM;
        if (above === RUNNER) nodeParent.items[node] = 0;
      }
    }
    this.#seen = length;
  }

  #isRunner(frame: number): boolean {
    let runs = this.#runs.get(frame);
    if (runs === undefined) {
      const { strings, frameEnd, logicalFunction, functionName, functionScript, scriptUrl } = this.#tables;
      const id = logicalFunction.at(frameEnd.at(frame - 1));
      const file = strings.get(scriptUrl.at(functionScript.at(id)));
      runs = runsProgram({ function: strings.get(functionName.at(id)), file });
      this.#runs.set(frame, runs);
    }
    return runs;
  }
}
