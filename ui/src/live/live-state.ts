import { computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { FlameGraphData, SnapshotTable } from "../../../src/reporters/flamegraph-data.js";
import type { PageFigures } from "../../../src/reporters/live-page-data.js";
import { PageState } from "../state.js";

/**
 * How the page is connected: `lost` where heapray itself does not answer any more, `ended` where the program is gone and
 * all that it told is here.
 */
export type Connection = "live" | "lost" | "ended";

/** What a live page has besides its graph, which is made anew as the program goes on. */
export class LiveState {
  readonly page: PageState;
  /** The newest figures, or while the page is paused those of that moment. */
  readonly figures: Signal<PageFigures>;
  readonly connection: Signal<Connection> = signal("live");
  readonly paused = signal(false);
  readonly saving = signal(false);
  /** Why nothing could be saved. */
  readonly trouble: Signal<string> = signal("");
  /** Memory over time until the figures. */
  readonly snapshots: ReadonlySignal<SnapshotTable>;
  readonly #snapshots: Signal<SnapshotTable>;

  constructor(data: FlameGraphData, figures: PageFigures) {
    this.page = new PageState(data);
    // What siblings hold changes all the time; by name, they stay beside each other all the same.
    this.page.order.value = "name";
    this.figures = signal(figures);
    this.#snapshots = signal(data.snapshots);
    this.snapshots = computed(() => this.#snapshots.value);
  }

  tell(figures: PageFigures): void {
    this.figures.value = figures;
    const { point } = figures;
    const { timeMs, rss, heapUsed, tracked } = this.#snapshots.peek();
    if (!point || point.timeMs <= (timeMs.at(-1) ?? -1)) return;
    this.#snapshots.value = {
      timeMs: longer(timeMs, point.timeMs),
      rss: longer(rss, point.rss),
      heapUsed: longer(heapUsed, point.heapUsed),
      tracked: longer(tracked, point.tracked),
    };
  }

  /** Shows a newer graph. */
  replace(data: FlameGraphData): void {
    this.#snapshots.value = data.snapshots;
    this.page.replace(data);
  }
}

function longer(column: Float64Array, value: number): Float64Array {
  const out = new Float64Array(column.length + 1);
  out.set(column);
  out[column.length] = value;
  return out;
}
