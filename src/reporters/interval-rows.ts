import { Float64Column, Uint32Column } from "../capture/columns.js";
import type { IntervalGrid } from "./interval-grid.js";
import type { IntervalTable } from "./temporal-data.js";

/** What weights held over time, in at most so many rows: beyond them, the grid's intervals become fewer. */
export class IntervalRows {
  readonly #grid: IntervalGrid;
  readonly #most: number;
  #rows = new Rows();

  constructor(grid: IntervalGrid, most: number) {
    this.#grid = grid;
    this.#most = most;
  }

  get length(): number {
    return this.#rows.weight.length;
  }

  /** `from` and `until` as the capture counts them; `until` undefined: to the end. */
  add(weight: number, from: number, until: number | undefined, bytes: number, allocations: number): void {
    this.#rows.push(weight, this.#grid.of(from), this.#grid.of(until ?? Number.MAX_SAFE_INTEGER), bytes, allocations);
    // Rows of equal intervals are one, with which there may be few enough.
    while (this.length > this.#most && this.#grid.length > 2) {
      const halved = this.#grid.halve();
      this.#rows = this.#rows.summed((interval) => halved[interval] as number);
    }
  }

  /** `rankOf`: by which number the table's weights go. */
  table(rankOf: (weight: number) => number): IntervalTable {
    const { weight, from, until, bytes, allocations } = this.#rows.summed((interval) => interval, rankOf);
    return {
      weight: weight.items.slice(0, weight.length),
      from: from.items.slice(0, from.length),
      until: until.items.slice(0, until.length),
      bytes: bytes.items.slice(0, bytes.length),
      allocations: allocations.items.slice(0, allocations.length),
    };
  }
}

class Rows {
  readonly weight = new Uint32Column();
  readonly from = new Uint32Column();
  readonly until = new Uint32Column();
  readonly bytes = new Float64Column();
  readonly allocations = new Float64Column();

  push(weight: number, from: number, until: number, bytes: number, allocations: number): void {
    if (from >= until) return;
    this.weight.push(weight);
    this.from.push(from);
    this.until.push(until);
    this.bytes.push(bytes);
    this.allocations.push(allocations);
  }

  /** The rows in order, those of the same weight and intervals as one, and none that hold nothing. */
  summed(intervalOf: (interval: number) => number, rankOf = (weight: number): number => weight): Rows {
    const weights = Uint32Array.from(this.weight.items.subarray(0, this.weight.length), rankOf);
    const from = Uint32Array.from(this.from.items.subarray(0, this.from.length), intervalOf);
    const until = Uint32Array.from(this.until.items.subarray(0, this.until.length), intervalOf);
    const order = Uint32Array.from(weights, (_, row) => row).sort(
      (a, b) =>
        (weights[a] as number) - (weights[b] as number) ||
        (from[a] as number) - (from[b] as number) ||
        (until[a] as number) - (until[b] as number),
    );
    const result = new Rows();
    for (let i = 0; i < order.length; ) {
      const first = order[i] as number;
      let [bytes, allocations] = [0, 0];
      for (; i < order.length; i++) {
        const row = order[i] as number;
        if (weights[row] !== weights[first] || from[row] !== from[first] || until[row] !== until[first]) break;
        bytes += this.bytes.at(row);
        allocations += this.allocations.at(row);
      }
      if (bytes === 0 && allocations === 0) continue;
      const [where, since, to] = [weights[first], from[first], until[first]] as [number, number, number];
      result.push(where, since, to, bytes, allocations);
    }
    return result;
  }
}
