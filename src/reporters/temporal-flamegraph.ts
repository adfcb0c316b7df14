import type {
  TemporalAllocationRecords,
  TemporalHighWaterMarkAllocationRecords,
} from "../analysis/temporal-records.js";
import type { MemorySnapshot } from "../capture/records.js";
import type { FlameGraphInput } from "./flamegraph.js";
import type { FlameGraphData } from "./flamegraph-data.js";
import { flameGraphHtml, readTemplate } from "./flamegraph-page.js";
import { snapshotTable } from "./flamegraph-snapshots.js";
import { FlameGraphTree } from "./flamegraph-tree.js";
import { IntervalGrid } from "./interval-grid.js";
import { IntervalRows } from "./interval-rows.js";
import { pageMetadata, pageTitle } from "./report-page.js";
import type { IntervalTable, TemporalTables, TemporalView } from "./temporal-data.js";
import { amountsIn } from "./temporal-weights.js";

/** More intervals than this are not told apart with a pointer. */
export const MAX_INTERVALS = 2000;
/** Rows of a page, which make it some megabytes large and are added up faster than a pointer moves. */
export const MAX_ROWS = 1_000_000;

/** What a flame graph of ranges of time shows. */
export interface TemporalFlameGraphInput extends Omit<FlameGraphInput, "records" | "kind" | "snapshots"> {
  /** Which of the two the page shows at first; it has the other one too where that fits in. */
  readonly kind: TemporalView;
  /** Not merged, so that the page can tell threads apart. Called at most once each. */
  readonly highWaterMarks: () => TemporalHighWaterMarkAllocationRecords;
  readonly leaks: () => TemporalAllocationRecords;
  /** Called after these. */
  readonly snapshots: () => Iterable<MemorySnapshot>;
  /** Most intervals to choose a range from; 2000 unless told. */
  readonly maxIntervals?: number;
  /** Most rows, of all that is in the page; 1,000,000 unless told. */
  readonly maxRows?: number;
}

/** Reads the records and gives the page's tables. */
export function temporalFlameGraphData(input: TemporalFlameGraphInput): FlameGraphData {
  const { kind, maxIntervals = MAX_INTERVALS, maxRows = MAX_ROWS } = input;
  const tree = new FlameGraphTree(input.splitThreads);
  const asked = new View(input, kind, maxIntervals, maxRows);
  const { grid } = asked;
  const intervals = grid.length;
  asked.fill(tree);
  // What had to become fewer intervals, or might, is not to share the page.
  const other = kind === "leaks" ? "high-water-mark" : "leaks";
  const hasRoom = grid.length === intervals && asked.rows.length <= maxRows / 2;
  const further = hasRoom ? new View(input, other, maxIntervals, maxRows) : undefined;
  const both = further !== undefined && further.grid.length === intervals && further.count() <= maxRows / 2;
  if (both) further.fill(tree);

  const { weights, ...tables } = tree.finish(input.sourceLine, input.disclosure);
  const rankOf = tree.weightRows();
  const views = (both ? [asked, further] : [asked]).map((view): [TemporalView, IntervalTable] => [
    view.kind,
    view.rows.table((weight) => rankOf[weight] as number),
  ]);
  const { "high-water-mark": highWaterMark, leaks }: Partial<Record<TemporalView, IntervalTable>> =
    Object.fromEntries(views);
  const temporal: TemporalTables = {
    endMs: grid.endMs,
    marks: both && kind === "leaks" ? further.grid.marks : grid.marks,
    ...(highWaterMark && { highWaterMark }),
    ...(leaks && { leaks }),
  };
  const whole = amountsIn(temporal, kind, { first: 0, last: grid.length - 1 }, weights.node.length);
  return {
    kind,
    inverted: input.inverted ?? false,
    metadata: pageMetadata(input.metadata, input.disclosure),
    ...tables,
    weights: { ...weights, ...whole },
    snapshots: snapshotTable(input.snapshots(), input.maxSnapshots),
    temporal,
  };
}

/**
 * The whole report as one HTML document that opens offline.
 * @throws CaptureError the capture has no single allocations, or is damaged
 * @throws Error when the page's template is not built
 */
export function renderTemporalFlameGraph(input: TemporalFlameGraphInput): string {
  const template = readTemplate();
  return flameGraphHtml(temporalFlameGraphData(input), pageTitle(input.metadata, input.kind), template);
}

/** The records of one view, on the way to its table. */
class View {
  readonly kind: TemporalView;
  readonly grid: IntervalGrid;
  readonly rows: IntervalRows;
  readonly #records: TemporalAllocationRecords;

  constructor(input: TemporalFlameGraphInput, kind: TemporalView, maxIntervals: number, maxRows: number) {
    this.kind = kind;
    let marks: readonly number[] | undefined;
    if (kind === "leaks") this.#records = input.leaks();
    else {
      const records = input.highWaterMarks();
      marks = records.highWaterMarkBySnapshot;
      this.#records = records;
    }
    const endMs = Float64Array.from(this.#records.snapshots, ({ timeMs }) => Math.max(0, Math.round(timeMs)));
    this.grid = new IntervalGrid(endMs, marks);
    while (this.grid.length > Math.max(2, maxIntervals)) this.grid.halve();
    this.rows = new IntervalRows(this.grid, maxRows);
  }

  fill(tree: FlameGraphTree): void {
    for (const record of this.#records) {
      const weight = tree.weightOf(record);
      for (const { allocatedBeforeSnapshot: from, deallocatedBeforeSnapshot: until, ...amount } of record.intervals) {
        this.rows.add(weight, from, until, amount.nBytes, amount.nAllocations);
      }
    }
  }

  /** How many rows there would be, at most. */
  count(): number {
    let count = 0;
    for (const { intervals } of this.#records) count += intervals.length;
    return count;
  }
}
