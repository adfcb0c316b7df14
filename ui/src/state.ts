import { batch, computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { FlameGraphData, MemoryKind } from "../../src/reporters/flamegraph-data.js";
import type { Orientation } from "./graph/draw.js";
import { type Palette, paletteOf } from "./graph/palette.js";
import { type LineChange, lineChanges, type TreeChange, treeChange } from "./model/compare.js";
import { invert } from "./model/invert.js";
import { type HoldingLine, holdingLines, type LineScope, type LineShare, totalLines } from "./model/lines.js";
import { nodeOnPath, type Path, pathOf } from "./model/places.js";
import { findMatches, type Matches, matchFrames, parseQuery, type Query } from "./model/search.js";
import type { Width } from "./model/sides.js";
import { buildCallTree, type CallTree, type Metric, type Order, type TreeOptions } from "./model/tree.js";
import { RangeState } from "./range-state.js";
import { theme } from "./theme.js";

/** A frame whose details are shown, under the pointer or for the keyboard. */
export interface Tip {
  readonly node: number;
  /** Where the pointer is; without it, the tip keeps to a corner of the graph. */
  readonly pointer?: { readonly x: number; readonly y: number };
}

/** A node of the data that is to be found again in other data. */
interface Place {
  readonly node: number;
  /** Where it was; the node is that of an ancestor while there is nothing there. */
  readonly path?: Path;
}

const ROOT: Place = { node: 0 };

/**
 * All that changes on the page. Nodes are remembered by their number in the data, which, unlike that in the tree, means
 * the same under every option but inversion.
 */
export class PageState {
  /** The range of time that is shown, where the report has any. */
  readonly time: RangeState | undefined;
  /** The data with the weights of that range. */
  readonly shown: ReadonlySignal<FlameGraphData>;
  readonly orientation: Signal<Orientation> = signal("icicle");
  /** Whether frames that allocate are at the root, and their callers below. */
  readonly inverted: Signal<boolean>;
  readonly metric: Signal<Metric> = signal("bytes");
  readonly order: Signal<Order> = signal("size");
  /** Of a differential flame graph. */
  readonly width: Signal<Width>;
  readonly hideInternals = signal(false);
  readonly hideDependencies = signal(false);
  readonly thread = signal(-1);
  readonly kind: Signal<MemoryKind | -1> = signal(-1);
  readonly lineScope: Signal<LineScope> = signal("program");
  readonly lineShare: Signal<LineShare> = signal("own");
  readonly search = signal("");
  readonly tip: Signal<Tip | undefined> = signal(undefined);
  readonly announcement = signal("");
  readonly helpOpen = signal(false);

  readonly options: ReadonlySignal<TreeOptions> = computed(() => ({
    hideInternals: this.hideInternals.value,
    hideDependencies: this.hideDependencies.value,
    thread: this.thread.value,
    kind: this.kind.value,
    metric: this.metric.value,
    width: this.width.value,
    order: this.order.value,
  }));
  /** The data that the tree is made of, inverted or as it came. */
  readonly graph: ReadonlySignal<FlameGraphData>;
  readonly tree: ReadonlySignal<CallTree>;
  readonly palette: ReadonlySignal<Palette>;
  readonly query: ReadonlySignal<Query> = computed(() => parseQuery(this.search.value));
  /** What the search found; undefined when nothing is searched. */
  readonly matches: ReadonlySignal<Matches | undefined>;
  readonly lines: ReadonlySignal<readonly HoldingLine[]>;
  /** Of a differential flame graph, both sides of the tree and of the lines. */
  readonly change: ReadonlySignal<TreeChange | undefined>;
  readonly changedLines: ReadonlySignal<readonly LineChange[]>;

  readonly #data: Signal<FlameGraphData>;
  readonly #selected: Signal<Place> = signal(ROOT);
  /** The frames zoomed to, outermost first; the last one fills the screen. */
  readonly #zooms: Signal<readonly Place[]> = signal([ROOT]);
  readonly selected: ReadonlySignal<number>;
  readonly zoomed: ReadonlySignal<number>;

  constructor(data: FlameGraphData) {
    this.#data = signal(data);
    const time = data.temporal && new RangeState(data, data.temporal);
    this.time = time;
    // Weights keep their places, so whatever is made of these alone is made once.
    const ofRange = (all: FlameGraphData): FlameGraphData =>
      time ? { ...all, weights: { ...all.weights, ...time.amounts.value } } : all;
    this.shown = computed(() => ofRange(this.data));
    // Where all is gone, the side before is all there is to see.
    this.width = signal(data.comparison && this.heldBytes === 0 ? "before" : "after");
    this.inverted = signal(data.inverted);
    const inverted = computed(() => invert(this.data));
    this.graph = computed(() => (this.inverted.value ? ofRange(inverted.value) : this.shown.value));
    this.tree = computed(() => buildCallTree(this.graph.value, this.options.value));
    this.palette = computed(() => paletteOf(this.data, theme.value));
    const matched = computed(() => matchFrames(this.data, this.query.value));
    this.matches = computed(() =>
      this.query.value.state === "ready" ? findMatches(this.tree.value, matched.value) : undefined,
    );
    this.lines = computed(() => {
      const linesOf = this.lineShare.value === "own" ? holdingLines : totalLines;
      return linesOf(this.shown.value, this.options.value, this.lineScope.value);
    });
    this.change = computed(() =>
      this.data.comparison ? treeChange(this.graph.value, this.tree.value, this.options.value) : undefined,
    );
    this.changedLines = computed(() =>
      lineChanges(this.data, this.options.value, this.lineScope.value, this.lineShare.value),
    );
    this.selected = computed(() => this.#nodeOf(this.#selected.value.node));
    this.zoomed = computed(() => this.#nodeOf((this.#zooms.value.at(-1) ?? ROOT).node));
    let last = this.inverted.value;
    // Nodes of the one graph mean nothing in the other.
    this.inverted.subscribe((now) => {
      if (now === last) return;
      last = now;
      this.#selected.value = ROOT;
      this.#zooms.value = [ROOT];
    });
  }

  /** What the page shows; other data where the program goes on. */
  get data(): FlameGraphData {
    return this.#data.value;
  }

  /** Shows other data of the same program; what was chosen stays chosen as far as it is there. */
  replace(data: FlameGraphData): void {
    const before = this.graph.peek();
    const kept = (place: Place): Place => (place.path ? place : { ...place, path: pathOf(before, place.node) });
    const selected = kept(this.#selected.peek());
    const zooms = this.#zooms.peek().map(kept);
    const tip = this.tip.peek();
    const tipPath = tip && pathOf(before, this.tree.peek().origin[tip.node] ?? 0);
    const thread = this.#data.peek().threads[this.thread.peek()];
    batch(() => {
      this.#data.value = data;
      if (thread !== undefined) this.thread.value = data.threads.indexOf(thread);
      const now = this.graph.value;
      const found = ({ path = [] }: Place): Place => ({ path, node: nodeOnPath(now, path).node });
      this.#selected.value = found(selected);
      this.#zooms.value = zooms.map(found);
      if (tipPath) {
        const { node, whole } = nodeOnPath(now, tipPath);
        const shown = this.tree.value.nodeOf[node] as number;
        this.tip.value = whole && shown !== -1 ? { ...tip, node: shown } : undefined;
      }
    });
  }

  /** Bytes of all that is shown when nothing is left out. */
  get heldBytes(): number {
    return this.shown.value.weights.bytes.reduce((sum, bytes) => sum + bytes, 0);
  }

  select(node: number): void {
    this.#selected.value = { node: this.tree.value.origin[node] ?? 0 };
  }

  /** Selects a frame and makes it fill the width. */
  zoomTo(node: number): void {
    const place = { node: this.tree.value.origin[node] ?? 0 };
    this.#selected.value = place;
    if (place.node === 0) this.#zooms.value = [ROOT];
    else if (this.#zooms.value.at(-1)?.node !== place.node) this.#zooms.value = [...this.#zooms.value, place];
  }

  /** Back to what was on the screen before the last zoom. */
  zoomBack(): void {
    const zooms = this.#zooms.value;
    if (zooms.length < 2) return;
    this.#zooms.value = zooms.slice(0, -1);
    this.#selected.value = zooms.at(-2) ?? ROOT;
  }

  /** The node that shows one of the data's, or its nearest shown ancestor. */
  #nodeOf(origin: number): number {
    const { nodeOf } = this.tree.value;
    const { parent } = this.graph.value.nodes;
    for (let at = origin; at > 0; at = parent[at] as number) {
      const node = nodeOf[at] as number;
      if (node !== -1) return node;
    }
    return 0;
  }
}
