import { computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { TableData } from "../../../src/reporters/table-data.js";
import { parseQuery, type Query } from "../model/search.js";
import { findFrames } from "./find.js";
import { groupRows, type PlaceOf, type Rows } from "./group.js";
import { type ColumnName, firstOrder, RowSorter, type SortOrder } from "./sort.js";

/** The sums of some rows. */
export interface Totals {
  readonly bytes: number;
  readonly allocations: number;
}

/** All that changes on the table's page. */
export class TableState {
  readonly data: TableData;
  readonly place: Signal<PlaceOf> = signal("owner");
  readonly splitThreads: Signal<boolean>;
  readonly thread = signal(-1);
  readonly allocator = signal(-1);
  readonly search = signal("");
  readonly sort: Signal<SortOrder> = signal(firstOrder("bytes"));
  /** Index among the rows shown; -1 when none is selected. */
  readonly selected = signal(-1);
  readonly announcement = signal("");
  readonly helpOpen = signal(false);

  readonly rows: ReadonlySignal<Rows>;
  readonly query: ReadonlySignal<Query> = computed(() => parseQuery(this.search.value));
  /** Numbers of the rows that the search leaves, in the order of the screen. */
  readonly shown: ReadonlySignal<Uint32Array>;
  /** Of the rows shown. */
  readonly totals: ReadonlySignal<Totals>;
  /** Of everything in the report. */
  readonly whole: Totals;

  constructor(data: TableData) {
    this.data = data;
    this.splitThreads = signal(data.splitThreads);
    this.whole = totalsOf(data.rows.bytes, data.rows.allocations);
    const sorter = new RowSorter(data);
    this.rows = computed(() =>
      groupRows(data, {
        place: this.place.value,
        splitThreads: this.splitThreads.value,
        thread: this.thread.value,
        allocator: this.allocator.value,
      }),
    );
    const sorted = computed(() => sorter.order(this.rows.value, this.sort.value));
    const found = computed(() =>
      this.query.value.state === "ready" ? findFrames(data, this.search.value, this.query.value) : undefined,
    );
    this.shown = computed(() => {
      const [order, frames] = [sorted.value, found.value];
      const { frame } = this.rows.value;
      return frames ? order.filter((row) => frames[frame[row] as number] === 1) : order;
    });
    this.totals = computed(() => {
      const { bytes, allocations } = this.rows.value;
      return totalsOf(bytes, allocations, found.value ? this.shown.value : undefined);
    });
  }

  /** Sorts by a column; by the same one again, the other way round. */
  sortBy(column: ColumnName): void {
    const { column: last, descending } = this.sort.value;
    this.sort.value = last === column ? { column, descending: !descending } : firstOrder(column);
    this.selected.value = -1;
  }
}

function totalsOf(bytes: Float64Array, allocations: Float64Array, some?: Uint32Array): Totals {
  const sums = { bytes: 0, allocations: 0 };
  const length = some?.length ?? bytes.length;
  for (let i = 0; i < length; i++) {
    const row = some ? (some[i] as number) : i;
    sums.bytes += bytes[row] as number;
    sums.allocations += allocations[row] as number;
  }
  return sums;
}
