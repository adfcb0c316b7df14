import type { CaptureTables } from "../capture/tables.js";
import type { FunctionRows } from "./function-rows.js";

/** Stacks of which no frame has a function. */
export const NOBODY = -1;
const UNKNOWN = -2;
const NO_RANK = 255;

/**
 * Which function answers for what a stack allocates (see answeringFrame), as a row: remembered for each stack node, so
 * that a stack costs what it does not share with those asked for before.
 */
export class AnsweringFunctions {
  readonly #tables: CaptureTables;
  readonly #functions: FunctionRows;
  #row = new Int32Array(0);
  #rank = new Uint8Array(0);
  readonly #path: number[] = [];

  constructor(tables: CaptureTables, functions: FunctionRows) {
    this.#tables = tables;
    this.#functions = functions;
  }

  /** Has room for so many stack nodes. */
  makeRoom(nodes: number): void {
    if (this.#row.length >= nodes) return;
    const row = new Int32Array(nodes).fill(UNKNOWN);
    row.set(this.#row);
    const rank = new Uint8Array(nodes);
    rank.set(this.#rank);
    // The root has no frame.
    row[0] = NOBODY;
    rank[0] = NO_RANK;
    this.#row = row;
    this.#rank = rank;
  }

  /** The row, or NOBODY. */
  of(node: number): number {
    const { nodeParent, nodeFrame } = this.#tables;
    const path = this.#path;
    for (let at = node; this.#row[at] === UNKNOWN; at = nodeParent.at(at)) path.push(at);
    for (let at = path.pop(); at !== undefined; at = path.pop()) {
      const parent = nodeParent.at(at);
      const own = this.#functions.answerOf(nodeFrame.at(at));
      const inner = own !== undefined && own.rank <= (this.#rank[parent] as number);
      this.#row[at] = inner ? own.row : (this.#row[parent] as number);
      this.#rank[at] = inner ? own.rank : (this.#rank[parent] as number);
    }
    return this.#row[node] as number;
  }
}
