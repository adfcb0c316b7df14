import { Float64Column, Uint32Column } from "./columns.js";

/** What the locations of an aggregated capture hold, a row each. Empty in other captures. */
export class AggregateTable {
  readonly thread = new Uint32Column(16);
  readonly node = new Uint32Column(16);
  readonly allocator = new Uint32Column(16);
  /** Allocations and bytes live at the high-water mark. */
  readonly peakCount = new Float64Column(16);
  readonly peakBytes = new Float64Column(16);
  /** Allocations and bytes live at the end. */
  readonly liveCount = new Float64Column(16);
  readonly liveBytes = new Float64Column(16);
  /** Allocations made in all, and their bytes; undefined until that record was read. */
  totals: { readonly allocations: number; readonly bytes: number } | undefined;

  get length(): number {
    return this.node.length;
  }
}
