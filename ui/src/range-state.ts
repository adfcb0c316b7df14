import { computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { FlameGraphData } from "../../src/reporters/flamegraph-data.js";
import type { TemporalTables, TemporalView } from "../../src/reporters/temporal-data.js";
import { type Amounts, amountsIn, highestInterval, type TimeRange } from "../../src/reporters/temporal-weights.js";
import { edgesOf, formatMoment, moved, type RangePart, touched } from "./model/time-range.js";

/** The range of time that the page shows, and what it held. */
export class RangeState {
  readonly tables: TemporalTables;
  /** Where intervals begin and end; milliseconds. */
  readonly edges: Float64Array;
  readonly intervals: number;
  /** Those that the page has. */
  readonly views: readonly TemporalView[];
  readonly view: Signal<TemporalView>;
  readonly range: ReadonlySignal<TimeRange>;
  /** Of each weight of the data, in the range. */
  readonly amounts: ReadonlySignal<Amounts>;
  /** Of all weights together. */
  readonly totals: ReadonlySignal<{ readonly bytes: number; readonly allocations: number }>;
  /** The interval of the range's high-water mark; undefined where the view is of leaks. */
  readonly highest: ReadonlySignal<number | undefined>;
  readonly #range: Signal<TimeRange>;

  constructor(data: FlameGraphData, tables: TemporalTables) {
    this.tables = tables;
    this.edges = edgesOf(tables, data.metadata);
    this.intervals = this.edges.length - 1;
    const views: TemporalView[] = [];
    if (tables.highWaterMark) views.push("high-water-mark");
    if (tables.leaks) views.push("leaks");
    this.views = views;
    this.view = signal(data.kind === "leaks" ? "leaks" : "high-water-mark");
    this.#range = signal(this.#everything);
    this.range = this.#range;
    const weights = data.weights.node.length;
    this.amounts = computed(() => amountsIn(tables, this.view.value, this.range.value, weights));
    this.totals = computed(() => {
      const { bytes, allocations } = this.amounts.value;
      const sum = (column: Float64Array): number => column.reduce((all, one) => all + one, 0);
      return { bytes: sum(bytes), allocations: sum(allocations) };
    });
    this.highest = computed(() =>
      this.view.value === "leaks" ? undefined : highestInterval(tables.marks, this.range.value),
    );
  }

  get #everything(): TimeRange {
    return { first: 0, last: this.intervals - 1 };
  }

  get isWhole(): boolean {
    const { first, last } = this.range.value;
    return first === 0 && last === this.intervals - 1;
  }

  /** Milliseconds. */
  get fromMs(): number {
    return this.edges[this.range.value.first] as number;
  }

  /** Milliseconds. */
  get toMs(): number {
    return this.edges[this.range.value.last + 1] as number;
  }

  /** The high-water mark of the range: about when, milliseconds, and live bytes; undefined where the view is of leaks. */
  get mark(): { readonly timeMs: number; readonly bytes: number } | undefined {
    const interval = this.highest.value;
    if (interval === undefined) return undefined;
    const timeMs = ((this.edges[interval] as number) + (this.edges[interval + 1] as number)) / 2;
    return { timeMs, bytes: this.tables.marks[interval] as number };
  }

  /** A moment in words. */
  textOf(ms: number): string {
    return formatMoment(ms, (this.edges.at(-1) as number) / this.intervals);
  }

  /** Chooses the intervals that a stretch of time touches. */
  choose(fromMs: number, toMs: number): void {
    this.#set(touched(this.edges, fromMs, toMs));
  }

  /** Moves an end, or the range, by intervals. */
  move(part: RangePart, by: number): void {
    this.#set(moved(this.range.peek(), part, by, this.intervals));
  }

  reset(): void {
    this.#set(this.#everything);
  }

  /** Moves the range, as long as it is, so that it begins about then. */
  shift(fromMs: number): void {
    const { first } = touched(this.edges, fromMs, fromMs);
    const [before, after] = [this.edges[first] as number, this.edges[first + 1] as number];
    const nearest = after - fromMs < fromMs - before ? first + 1 : first;
    this.move("whole", nearest - this.range.peek().first);
  }

  #set(range: TimeRange): void {
    const { first, last } = this.#range.peek();
    if (range.first !== first || range.last !== last) this.#range.value = range;
  }
}
